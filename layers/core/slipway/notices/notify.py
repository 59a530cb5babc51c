"""Notify: report every change of a deployment's phase or outcome to every destination.

The table's stream brings the changes in order. A batch is retried while no destination can be
reached; what one destination alone could not take holds up no other, and is left to the sweep.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache, partial

from pydantic import ValidationError

from slipway.domain.catalog import Catalog
from slipway.domain.deployment import Deployment
from slipway.domain.errors import Broken, ControlPlaneError, Reason, Transient
from slipway.domain.model import Model
from slipway.domain.notice import state_of
from slipway.notices.news import news_of
from slipway.notices.outbox import NotifyResult, NotifyStatus, leave_to_sweep, notify_destination
from slipway.ports.people import Destination, Links
from slipway.ports.records import Records


class NotifyRequest(Model):
    """One write of a deployment, as the record's stream hands it on: JSON before and after.

    ``destination`` is the one to notify again; without it every destination is.
    """

    sequence_number: str
    before: str | None
    after: str
    destination: str | None = None

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


class NotifyAllResult(Model):
    """What became of a batch; ``failed`` is the write to begin again with, and why."""

    results: tuple[NotifyResult, ...]
    failed: str | None = None
    problem: str = ""

    def answer(self) -> dict[str, list[dict[str, str]]]:
        """What Lambda's stream reader expects: it retries from the write that is named."""
        failed = [self.failed] if self.failed else []
        return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}


def notify_all(
    requests: Iterable[NotifyRequest],
    *,
    records: Records,
    destinations: Sequence[Destination],
    links: Links,
    catalog: Catalog,
    now: datetime,
) -> NotifyAllResult:
    """Report a batch of writes in order, up to the first that has to be retried."""
    results: list[NotifyResult] = []
    for request in requests:
        try:
            change = request.change()
        except Broken as error:
            # A retry would not make it readable, and would block everything behind it.
            results.append(_unreadable_result(error))
            continue
        try:
            reported = notify(
                change,
                records=records,
                destinations=_addressees(request, destinations),
                links=links,
                catalog=catalog,
                now=now,
            )
        except ControlPlaneError as error:
            return NotifyAllResult(
                results=tuple(results), failed=request.sequence_number, problem=str(error)
            )
        results.extend(reported)
    return NotifyAllResult(results=tuple(results))


def notify(
    change: Change,
    *,
    records: Records,
    destinations: Sequence[Destination],
    links: Links,
    catalog: Catalog,
    now: datetime,
) -> tuple[NotifyResult, ...]:
    """Report the change, if it is one, to every destination; safe to call again.

    Transient when the record, or every destination, cannot be reached now: the same change has to
    be retried.
    """
    deployment, state = change.after, change.state
    if state is None:
        return (_unchanged_result(deployment),)
    asked = partial(news_of, records=records, links=links, catalog=catalog, now=now)
    # Read once for all destinations, and not at all when none of them reports the state.
    news = cache(partial(asked, deployment, state))
    results = [
        notify_destination(deployment, state, one, records=records, news=news)
        for one in destinations
    ]
    later = [one for one in results if one.ending is NotifyStatus.LATER]
    if later and later == results:
        raise Transient(Reason.SLACK_UNAVAILABLE, later[0].detail)
    return tuple(
        leave_to_sweep(one, deployment, records) if one in later else one for one in results
    )


def _unchanged_result(deployment: Deployment) -> NotifyResult:
    return NotifyResult(
        deployment_id=deployment.deployment_id,
        state="",
        destination="",
        ending=NotifyStatus.QUIET,
        detail="neither phase nor outcome changed",
    )


def _unreadable_result(error: Broken) -> NotifyResult:
    return NotifyResult(
        deployment_id="",
        state="",
        destination="",
        ending=NotifyStatus.REFUSED,
        detail=error.message,
    )


def _addressees(
    request: NotifyRequest, destinations: Sequence[Destination]
) -> Sequence[Destination]:
    return [one for one in destinations if request.destination in (None, one.name)]
