"""Notify: every change of a deployment's phase or outcome is told in Slack, at most once.

The record's stream is the outbox. A state is claimed in the deployment's notice before its
message leaves and confirmed after; what Slack clearly refused for now releases the claim and
comes again with the stream, what ended unclearly keeps it.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import ValidationError

from slipway.domain.approval import Approval, ask
from slipway.domain.catalog import Catalog
from slipway.domain.deployment import Deployment, Outcome, Phase
from slipway.domain.errors import Broken, ControlPlaneError, Reason, Transient
from slipway.domain.lane import Lane
from slipway.domain.message import News, line, whole
from slipway.domain.model import Model
from slipway.domain.notice import Notice, Telling, reached, state_of
from slipway.journal import again_when_moved
from slipway.ports.people import Delivery, Links, SlackChannel, SlackWebhook
from slipway.ports.records import Records

_ATTEMPTS: Final = 6

# A webhook cannot change what it sent, so it only tells what a person wants to hear of.
_WEBHOOK_STATES: Final[frozenset[str]] = frozenset(
    {Phase.PLANNING, Phase.AWAITING_APPROVAL, Phase.ROLLING_BACK, *Outcome} - {Outcome.UNCHANGED}
)
# States that only bring the message up to date: a line in the thread would be noise.
_WITHOUT_A_LINE: Final[frozenset[str]] = frozenset({Phase.AWAITING_LANE, Outcome.UNCHANGED})


class NotifyRequest(Model):
    """One write of a deployment, as the record's stream hands it on: JSON before and after."""

    sequence_number: str
    before: str | None
    after: str

    def change(self) -> "Change":
        """The write in the domain's words; Broken when it is not a deployment of this version."""
        try:
            before = _deployment(self.before) if self.before else None
            return Change(before=before, after=_deployment(self.after))
        except ValidationError:
            message = f"Write {self.sequence_number} of the stream is not a deployment's."
            raise Broken(Reason.EVENT_MALFORMED, message) from None


def _deployment(document: str) -> Deployment:
    """A deployment as the record holds it; a newer Slipway may have written more."""
    return Deployment.model_validate_json(document, extra="ignore")


class Change(Model):
    """A deployment before and after one write; ``before`` is None for a new one."""

    before: Deployment | None
    after: Deployment

    @property
    def state(self) -> str | None:
        """The state that the deployment has just reached, or None."""
        state = state_of(self.after)
        known = state_of(self.before) if self.before else None
        return None if state == known else state


class Ending(StrEnum):
    """What became of a state that might be told."""

    TOLD = "told"
    QUIET = "quiet"
    KNOWN = "known"
    UNCLEAR = "unclear"
    REFUSED = "refused"


class NotifyResult(Model):
    """What became of one change; ``detail`` says why it was not told."""

    deployment_id: str
    state: str
    ending: Ending
    detail: str = ""


class NotifyAllResult(Model):
    """What became of a batch; ``failed`` is the write to begin again with, and why."""

    results: tuple[NotifyResult, ...]
    failed: str | None = None
    problem: str = ""

    def answer(self) -> dict[str, list[dict[str, str]]]:
        """What Lambda's stream reader expects: it comes again from the write that is named."""
        failed = [self.failed] if self.failed else []
        return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}


def notify_all(
    requests: Iterable[NotifyRequest],
    *,
    records: Records,
    slack: SlackChannel | SlackWebhook,
    links: Links,
    catalog: Catalog,
    now: datetime,
) -> NotifyAllResult:
    """Tell a batch of writes in their order, up to the first that has to come again."""
    results: list[NotifyResult] = []
    for request in requests:
        try:
            change = request.change()
        except Broken as error:
            # Coming again would not make it readable, and would hold everything behind it.
            results.append(_unreadable(error))
            continue
        try:
            told = notify(
                change,
                records=records,
                slack=slack,
                links=links,
                catalog=catalog,
                now=now,
            )
        except ControlPlaneError as error:
            return NotifyAllResult(
                results=tuple(results), failed=request.sequence_number, problem=str(error)
            )
        results.append(told)
    return NotifyAllResult(results=tuple(results))


def notify(
    change: Change,
    *,
    records: Records,
    slack: SlackChannel | SlackWebhook,
    links: Links,
    catalog: Catalog,
    now: datetime,
) -> NotifyResult:
    """Tell the change if it is one; safe to call again.

    Transient when Slack or the record cannot be reached now: the same change has to come again.
    """
    state = change.state
    if state is None:
        return _result(change.after, "", Ending.QUIET, "neither phase nor outcome changed")
    if not isinstance(slack, SlackChannel) and state not in _WEBHOOK_STATES:
        return _result(change.after, state, Ending.QUIET, "not told through a webhook")
    notice = records.notice(change.after.deployment_id)
    if notice.told.get(state) is Telling.TOLD:
        return _result(change.after, state, Ending.KNOWN, "told before")
    # The stream hands on a deployment as it is stored: without its plan.
    deployment = change.after.read_with(records.plan(change.after.deployment_id))
    news = _news(deployment, state, records, links, now)
    if isinstance(slack, SlackChannel):
        return _kept_up_to_date(news, notice, records, slack, _channel(change.after, catalog))
    return _sent(news, notice, records, slack)


def _unreadable(error: Broken) -> NotifyResult:
    return NotifyResult(deployment_id="", state="", ending=Ending.REFUSED, detail=error.message)


def _result(deployment: Deployment, state: str, ending: Ending, detail: str = "") -> NotifyResult:
    return NotifyResult(
        deployment_id=deployment.deployment_id, state=state, ending=ending, detail=detail
    )


def _channel(deployment: Deployment, catalog: Catalog) -> str | None:
    settings = catalog.environment(deployment.application, deployment.environment)
    return settings.notifications.slack_channel if settings else None


def _news(
    deployment: Deployment, state: str, records: Records, links: Links, now: datetime
) -> News:
    approval = _approval(deployment, state, records, now)
    decides = approval if links.absolute else None
    return News(
        deployment=deployment,
        state=state,
        approval=approval,
        page_url=links.deployment(deployment.deployment_id) if links.absolute else "",
        approval_url=links.approval(decides) if decides else "",
        at=now,
        lane=_asked_over(deployment, state, records),
    )


def _asked_over(deployment: Deployment, state: str, records: Records) -> Lane | None:
    """The lane whose hold a person's request may go over, while it is asked for."""
    if not deployment.explicit or state != Phase.AWAITING_APPROVAL:
        return None
    return records.lane(deployment.application, deployment.environment)


def _approval(
    deployment: Deployment, state: str, records: Records, now: datetime
) -> Approval | None:
    """The ticket; while it is asked for, at least what its link is bound to."""
    if deployment.plan is None or not deployment.plan.needs_approval:
        return None
    approval = records.approval(deployment.deployment_id)
    if approval is None and state == Phase.AWAITING_APPROVAL:
        return ask(deployment.plan, now)
    return approval


def _sent(news: News, notice: Notice, records: Records, slack: SlackWebhook) -> NotifyResult:
    if notice.told.get(news.state) is Telling.SENDING:
        return _unclear(news)
    return _claimed(news, notice, records, lambda: slack.send(whole(news)))


def _unclear(news: News) -> NotifyResult:
    message = "nobody knows whether Slack got the message; it is not sent again"
    return _result(news.deployment, news.state, Ending.UNCLEAR, message)


def _kept_up_to_date(
    news: News, notice: Notice, records: Records, slack: SlackChannel, channel: str | None
) -> NotifyResult:
    if notice.told.get(news.state) is Telling.SENDING:
        try:
            found = _found(news, notice, slack, channel)
        except Broken:
            return _unclear(news)
        if found is not None:
            _confirm(news, notice, found, records)
            return _result(news.deployment, news.state, Ending.TOLD, "found in the channel")
    if not notice.message_ts:
        return _opened(news, notice, records, slack, channel)
    try:
        slack.update(whole(news), channel=notice.channel, message_ts=notice.message_ts)
    except Broken:
        # The message is gone, or can no longer be changed: what is told next begins a new one.
        return _opened(news, notice.forgotten(), records, slack, channel)
    return _lined(news, notice, records, slack)


def _lined(news: News, notice: Notice, records: Records, slack: SlackChannel) -> NotifyResult:
    if news.state in _WITHOUT_A_LINE:
        _confirm(news, notice, Delivery(clear=True), records)
        return _result(news.deployment, news.state, Ending.TOLD)
    return _claimed(
        news,
        notice,
        records,
        lambda: slack.post(line(news), channel=notice.channel, thread_ts=notice.message_ts),
        again=True,
    )


def _opened(
    news: News, notice: Notice, records: Records, slack: SlackChannel, channel: str | None
) -> NotifyResult:
    if news.state == Outcome.UNCHANGED:
        return _result(news.deployment, news.state, Ending.QUIET, "there is no message to update")
    return _claimed(
        news,
        notice,
        records,
        lambda: slack.post(whole(news), channel=channel, thread_ts=None),
        again=True,
    )


def _found(news: News, notice: Notice, slack: SlackChannel, channel: str | None) -> Delivery | None:
    """What an earlier try of unclear end left in the channel."""
    return slack.find(
        whole(news),
        channel=notice.channel or channel,
        thread_ts=notice.message_ts or None,
        since=news.deployment.requested_at,
    )


def _claimed(
    news: News,
    notice: Notice,
    records: Records,
    send: Callable[[], Delivery],
    *,
    again: bool = False,
) -> NotifyResult:
    """Claim the state, send, confirm; ``again`` asks for another try after an unclear end."""
    claim = _written(notice.claimed(news.state), records)
    try:
        delivery = send()
    except Transient:
        _changed(claim, lambda notice: notice.released(news.state), records)
        raise
    except Broken as refusal:
        since = reached(news.deployment)
        _changed(claim, lambda notice: notice.refused(news.state, since), records)
        return _result(news.deployment, news.state, Ending.REFUSED, refusal.message)
    if not delivery.clear and again:
        message = f"{news.deployment.deployment_id} {news.state}: look for the message first."
        raise Transient(Reason.SLACK_UNAVAILABLE, message)
    if not delivery.clear:
        return _unclear(news)
    _confirm(news, claim, delivery, records)
    return _result(news.deployment, news.state, Ending.TOLD)


def _confirm(news: News, notice: Notice, delivery: Delivery, records: Records) -> None:
    def confirmed(notice: Notice) -> Notice:
        return notice.placed(delivery.channel, delivery.message_ts).confirmed(news.state)

    _changed(notice, confirmed, records)


def _changed(notice: Notice, change: Callable[[Notice], Notice], records: Records) -> None:
    """Write what became of a claim, also when another state was told meanwhile."""
    known: list[Notice] = [notice]

    def written() -> None:
        latest = known.pop() if known else records.notice(notice.deployment_id)
        _written(change(latest), records)

    message = f"What was told of {notice.deployment_id} is being written too often."
    again_when_moved(written, attempts=_ATTEMPTS, otherwise=message)


def _written(notice: Notice, records: Records) -> Notice:
    records.write([notice])
    return notice.model_copy(update={"version": notice.version + 1})
