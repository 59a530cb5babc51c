"""The outbox: a state is claimed, sent and confirmed, so each destination gets it at most once.

The claim is written before the message leaves. A claim without a confirmation means that a try died
in between and the message may have arrived: it is looked for, and sent again only if it certainly
did not arrive. A clear refusal releases the claim. Destinations have separate claims, so none waits
for another.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from slipway.domain.deployment import Deployment
from slipway.domain.errors import Broken, Transient
from slipway.domain.model import Model
from slipway.domain.news import News
from slipway.domain.notice import MessagePlace, Notice, NoticeState, reached_at
from slipway.journal import retry_when_moved
from slipway.ports.people import Arrival, Delivery, Destination
from slipway.ports.records import Records

_ATTEMPTS: Final = 6
_NOBODY_KNOWS: Final = "whether the message arrived is unknown; it is not sent again"


class NotifyStatus(StrEnum):
    """What became of a state at one destination."""

    TOLD = "told"
    QUIET = "quiet"
    KNOWN = "known"
    LATER = "later"
    UNCLEAR = "unclear"
    REFUSED = "refused"


class NotifyResult(Model):
    """What became of one state at one destination; ``detail`` says why it was not sent."""

    deployment_id: str
    state: str
    destination: str
    ending: NotifyStatus
    detail: str = ""


def notify_destination(
    deployment: Deployment,
    state: str,
    destination: Destination,
    *,
    records: Records,
    news: Callable[[], News],
) -> NotifyResult:
    """Report a state that the deployment has reached to one destination; safe to call again.

    Ends as LATER when it could not be reached now: the same state has to be retried.
    """
    deployment_id, name = deployment.deployment_id, destination.name
    if not destination.tells(state):
        return _result(deployment_id, state, name, NotifyStatus.QUIET, "not reported here")
    notice = records.notice(deployment_id, name)
    if notice.told.get(state) is NoticeState.TOLD:
        return _result(deployment_id, state, name, NotifyStatus.KNOWN, "already sent")
    return _deliver(news(), notice, destination, records)


def leave_to_sweep(untold: NotifyResult, deployment: Deployment, records: Records) -> NotifyResult:
    """Leave to the sweep what one destination could not take, since the stream moves on.

    What may have arrived is not: it keeps its claim, and the log says that nobody knows.
    """
    state, since = untold.state, reached_at(deployment)

    def write() -> bool:
        notice = records.notice(untold.deployment_id, untold.destination)
        if state in notice.told:
            return False
        _write(notice.owed(state, since), records)
        return True

    if retry_when_moved(
        write, attempts=_ATTEMPTS, otherwise=_too_often_message(untold.deployment_id)
    ):
        return untold
    return untold.model_copy(update={"ending": NotifyStatus.UNCLEAR, "detail": _NOBODY_KNOWS})


def _deliver(
    news: News, notice: Notice, destination: Destination, records: Records
) -> NotifyResult:
    """Look for what an earlier try left; else bring up to date what stands, and send the rest."""
    claimed = notice.told.get(news.state) is NoticeState.SENDING
    try:
        found = destination.find(news, notice.place) if claimed else None
        if found is None:
            notice = _refresh(news, notice, destination)
    except Transient as error:
        return _status_result(news, notice, NotifyStatus.LATER, error.message)
    if found is not None:
        return _settle(news, notice, found, records, detail="found in the channel")
    if destination.sends(news.state, notice.place):
        return _send(news, notice, destination, records)
    if notice.place is None:
        return _status_result(news, notice, NotifyStatus.QUIET, "there is no message to update")
    _confirm(news, notice, notice.place, records)
    return _status_result(news, notice, NotifyStatus.TOLD)


def _refresh(news: News, notice: Notice, destination: Destination) -> Notice:
    """Update the message that was sent before; the notice without its place if that is gone."""
    if notice.place is None or destination.update(news, notice.place):
        return notice
    return notice.forgotten()


def _send(news: News, notice: Notice, destination: Destination, records: Records) -> NotifyResult:
    """Claim the state, send it, and write what became of it."""
    claim = _write(notice.claimed(news.state), records)
    try:
        delivery = destination.send(news, claim.place)
    except Transient as error:
        _change(claim, lambda notice: notice.released(news.state), records)
        return _status_result(news, claim, NotifyStatus.LATER, error.message)
    except Broken as refusal:
        since = reached_at(news.deployment)
        _change(claim, lambda notice: notice.refused(news.state, since), records)
        return _status_result(news, claim, NotifyStatus.REFUSED, refusal.message)
    if delivery.arrival is Arrival.UNCONFIRMED:
        message = (
            f"{news.deployment.deployment_id} {news.state}: the message may have arrived; "
            "look for it first."
        )
        return _status_result(news, claim, NotifyStatus.LATER, message)
    return _settle(news, claim, delivery, records)


def _settle(
    news: News, notice: Notice, delivery: Delivery, records: Records, *, detail: str = ""
) -> NotifyResult:
    """Confirm what has arrived; what nobody can know keeps its claim."""
    if delivery.arrival is Arrival.UNKNOWABLE:
        return _status_result(news, notice, NotifyStatus.UNCLEAR, _NOBODY_KNOWS)
    _confirm(news, notice, delivery.place, records)
    return _status_result(news, notice, NotifyStatus.TOLD, detail)


def _confirm(news: News, notice: Notice, place: MessagePlace | None, records: Records) -> None:
    _change(notice, lambda notice: notice.placed(place).confirmed(news.state), records)


def _change(notice: Notice, change: Callable[[Notice], Notice], records: Records) -> None:
    """Write what became of a claim, also when another state was sent meanwhile."""
    known: list[Notice] = [notice]

    def write() -> None:
        latest = known.pop() if known else records.notice(notice.deployment_id, notice.destination)
        _write(change(latest), records)

    retry_when_moved(write, attempts=_ATTEMPTS, otherwise=_too_often_message(notice.deployment_id))


def _write(notice: Notice, records: Records) -> Notice:
    records.write([notice])
    return notice.model_copy(update={"version": notice.version + 1})


def _too_often_message(deployment_id: str) -> str:
    return f"Too many concurrent writes to the notices of {deployment_id}."


def _status_result(
    news: News, notice: Notice, ending: NotifyStatus, detail: str = ""
) -> NotifyResult:
    return _result(news.deployment.deployment_id, news.state, notice.destination, ending, detail)


def _result(
    deployment_id: str, state: str, destination: str, ending: NotifyStatus, detail: str
) -> NotifyResult:
    return NotifyResult(
        deployment_id=deployment_id,
        state=state,
        destination=destination,
        ending=ending,
        detail=detail,
    )
