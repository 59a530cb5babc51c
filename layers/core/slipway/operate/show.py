"""`show`: one deployment and its read_record record."""

from collections.abc import Iterator, Sequence

from slipway.domain.deployment import Deployment
from slipway.domain.evidence import Evidence
from slipway.domain.failure import Failure
from slipway.domain.guidance import what_next
from slipway.domain.redaction import redact_for_people
from slipway.domain.wording import moment, spoken
from slipway.operate.desk import Desk
from slipway.operate.lines import columns, state_of
from slipway.operate.verification import read_record, verdict


def show(desk: Desk, deployment_id: str) -> Iterator[str]:
    """The deployment's state and its timeline."""
    deployment, entries = read_record(desk.records, deployment_id)
    took = spoken((deployment.settled_at or desk.now()) - deployment.requested_at)
    yield f"{deployment_id}: {state_of(deployment)}, {took}"
    yield from columns([*_facts(deployment, desk), ("record", verdict(deployment, entries))])
    yield ""
    yield from _timeline(entries)


def _facts(deployment: Deployment, desk: Desk) -> Iterator[tuple[str, str]]:
    release = deployment.release
    requested_at = moment(deployment.requested_at)
    yield "lane", deployment.lane_id
    yield "release", f"{release.repository}:{release.tag} {release.digest}"
    yield "requested", f"{requested_at} by {deployment.requested_by} ({deployment.origin})"
    if deployment.reason:
        yield "reason", deployment.reason
    if deployment.settled_at is not None:
        yield "settled", moment(deployment.settled_at)
    if deployment.cancel_requested_by is not None:
        yield "cancel", f"requested by {deployment.cancel_requested_by}"
    yield from _failures(deployment.cause, deployment.failure)
    if deployment.outcome is not None:
        yield "what to do", what_next(deployment)
    else:
        yield "execution", _execution(deployment.deployment_id, desk)


def _failures(cause: Failure | None, failure: Failure | None) -> Iterator[tuple[str, str]]:
    """Why it rolled back, then why it ended; the same failure is shown once."""
    failures = [("cause", cause), ("failure", failure if failure != cause else None)]
    for label, one in failures:
        if one is not None:
            yield label, f"{one.reason} in {one.state}: {one.message}"


def _execution(deployment_id: str, desk: Desk) -> str:
    if desk.executions.running(deployment_id):
        return "running"
    if desk.executions.known(deployment_id):
        return "ended without an outcome; the next sweep settles it"
    return "not started; the next sweep starts it"


def _timeline(entries: Sequence[Evidence]) -> Iterator[str]:
    before = entries[0].at if entries else None
    rows, logs = [], []
    for entry in entries:
        after = f"+{spoken(entry.at - before)}" if before and entry.at > before else ""
        text = ": ".join(part for part in (entry.reason, entry.message) if part)
        rows.append((moment(entry.at), after, entry.what, text))
        logs.append(_log(entry))
        before = entry.at
    for line, log in zip(columns(rows), logs, strict=True):
        yield line
        yield from log


def _log(entry: Evidence) -> list[str]:
    """The tail of a task's log, if the entry has one."""
    lines = entry.data.get("log", [])
    return (
        [f"      | {redact_for_people(str(line))}" for line in lines]
        if isinstance(lines, list)
        else []
    )
