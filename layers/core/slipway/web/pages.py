"""What each page shows, from the domain's own objects."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from slipway.domain.approval import Answer, Approval
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.evidence import Evidence, chain_errors
from slipway.domain.failure import Failure
from slipway.domain.guidance import manner, override_notes, way_back
from slipway.domain.lane import Lane
from slipway.domain.outcome import Outcome
from slipway.domain.plan import Plan
from slipway.domain.recovery import recovery_point
from slipway.domain.release import REVISION_LABEL
from slipway.domain.wording import spoken
from slipway.ports.databases import Restores
from slipway.ports.people import Links
from slipway.web.rendering import render

_GATE: Final = "gate: "
# These ends leave a question about the data, and the answer needs the exact commands.
_MAY_RESTORE: Final = frozenset({Outcome.NEEDS_OPERATOR, Outcome.ROLLBACK_FAILED})
_STORY: Final = (
    Phase.PLANNING,
    Phase.AWAITING_APPROVAL,
    Phase.AWAITING_LANE,
    Phase.BACKING_UP,
    Phase.MIGRATING,
    Phase.DEPLOYING,
    Phase.VERIFYING,
)


@dataclass(frozen=True)
class Gate:
    """One gate as it was judged last."""

    name: str
    state: str
    message: str


@dataclass(frozen=True)
class Moment:
    """One entry of a deployment's record; ``after`` is the time since the one before."""

    at: str
    after: str
    what: str
    reason: str
    message: str
    log: Sequence[str]


@dataclass(frozen=True)
class Mark:
    """One phase of the story and how far it got: done, now, bad or nothing."""

    name: str
    mark: str


@dataclass(frozen=True)
class LaneView:
    """A lane and its latest deployments."""

    lane: Lane
    recent: Sequence[Deployment]


@dataclass(frozen=True)
class ApplicationView:
    """An application and its lanes."""

    name: str
    lanes: Sequence[LaneView]


def approval_page(
    approval: Approval,
    deployment: Deployment,
    evidence: Iterable[Evidence],
    *,
    sig: str,
    closed: str,
    links: Links,
    now: datetime,
    lane: Lane | None = None,
) -> str:
    """What is being approved, with the form to decide; ``closed`` says why there is none.

    ``lane`` shows what an explicit request overrides.
    """
    plan = deployment.planned()
    return render(
        "approval.html",
        approval=approval,
        deployment=deployment,
        commit=plan.image.labels.get(REVISION_LABEL),
        gates=_gates(evidence),
        left=spoken(max(approval.expires_at - now, timedelta())),
        sig=sig,
        closed=closed,
        links=links,
        overridden=override_notes(deployment, lane) if lane else (),
        **_plan(plan),
    )


def decided_page(approval: Approval, links: Links) -> str:
    """What happens after the decision."""
    decision = approval.decision
    approved = decision is not None and decision.answer is Answer.APPROVE
    heading = f"You have {'approved' if approved else 'rejected'} {approval.deployment_id}"
    happens = (
        "The gates are checked again, then the deployment takes its lane and continues "
        "automatically."
        if approved
        else "The deployment ends as Rejected. Nothing was changed."
    )
    return render(
        "decided.html",
        heading=heading,
        next=happens,
        approved=approved,
        comment=decision.comment if decision else "",
        page=links.deployment(approval.deployment_id),
    )


def deployment_page(
    deployment: Deployment,
    evidence: Sequence[Evidence],
    *,
    restores: Restores,
    links: Links,
    now: datetime,
) -> str:
    """How a deployment does, or how it went."""
    plan = deployment.plan
    point = recovery_point(deployment) if deployment.outcome in _MAY_RESTORE else None
    return render(
        "deployment.html",
        deployment=deployment,
        took=spoken((deployment.settled_at or now) - deployment.requested_at),
        track=_track(deployment),
        failures=_failures(deployment),
        commands=restores.commands(point) if point else (),
        timeline=_timeline(evidence),
        errors=chain_errors(deployment, list(evidence)),
        links=links,
        **(_plan(plan) if plan else {"plan": None}),
    )


def status_page(applications: Sequence[ApplicationView], *, links: Links, now: datetime) -> str:
    """What is live on every lane, and what happened there lately."""
    busy = any(
        deployment.outcome is None
        for application in applications
        for lane in application.lanes
        for deployment in lane.recent
    )
    return render("status.html", applications=applications, busy=busy, links=links, now=now)


def sentence_page(heading: str, sentence: str, hint: str) -> str:
    """One plain sentence."""
    return render("sentence.html", heading=heading, sentence=sentence, hint=hint)


def _plan(plan: Plan) -> dict[str, Any]:
    return {"plan": plan, "back": way_back(plan), "strategy": manner(plan.settings.strategy)}


def _gates(evidence: Iterable[Evidence]) -> list[Gate]:
    """Every gate as it was judged last, in the order of the first look."""
    found: dict[str, Gate] = {}
    for entry in evidence:
        if entry.what.startswith(_GATE):
            name = entry.what.removeprefix(_GATE)
            found[name] = Gate(name, str(entry.data.get("state", "")), entry.message)
    return list(found.values())


def _timeline(evidence: Sequence[Evidence]) -> list[Moment]:
    before = evidence[0].at if evidence else None
    moments = []
    for entry in evidence:
        after = f"+{spoken(entry.at - before)}" if before and entry.at > before else ""
        at = f"{entry.at:%Y-%m-%d %H:%M:%S}"
        moments.append(Moment(at, after, entry.what, entry.reason, entry.message, _log(entry)))
        before = entry.at
    return moments


def _log(entry: Evidence) -> list[str]:
    """The end of a task's log, where an entry carries one."""
    lines = entry.data.get("log", [])
    return [str(line) for line in lines] if isinstance(lines, list) else []


def _failures(deployment: Deployment) -> list[Failure]:
    """What went wrong, first things first; the same failure is listed once."""
    failures = [failure for failure in (deployment.cause, deployment.failure) if failure]
    return failures[:1] if len(failures) == 2 and failures[0] == failures[1] else failures


def _track(deployment: Deployment) -> list[Mark]:
    """The phases that this deployment goes through, and where it stands."""
    story = [phase for phase in _STORY if _has_phase(phase, deployment.plan)]
    if deployment.outcome is None and deployment.phase is Phase.ROLLING_BACK:
        return [Mark(phase, "") for phase in story] + [Mark(Phase.ROLLING_BACK, "bad")]
    if deployment.outcome is not None:
        done = "done" if deployment.outcome is Outcome.SUCCEEDED else ""
        return [Mark(phase, done) for phase in story] + [Mark(deployment.outcome, _end(deployment))]
    here = story.index(deployment.phase) if deployment.phase in story else len(story)
    return [
        Mark(phase, "done" if place < here else "now" if place == here else "")
        for place, phase in enumerate(story)
    ]


def _end(deployment: Deployment) -> str:
    if deployment.outcome is Outcome.SUCCEEDED:
        return "done"
    return "bad" if deployment.cause or deployment.failure else ""


def _has_phase(phase: Phase, plan: Plan | None) -> bool:
    if plan is None:
        return phase is Phase.PLANNING
    if phase is Phase.AWAITING_APPROVAL:
        return plan.needs_approval
    if phase in (Phase.BACKING_UP, Phase.MIGRATING):
        return plan.needs_migration
    return True
