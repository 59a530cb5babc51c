"""How deployments read in a terminal: a line per state, and why a push has started nothing."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from demo.standing.lock import suffix
from slipway.domain.approval import Approval
from slipway.domain.commands import deploy_command, lift_command
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.lane import Lane
from slipway.domain.outcome import Outcome
from slipway.domain.text import plain
from slipway.domain.wording import moment, short_digest, spoken

# Ends after which the release that was asked for is live.
LIVE = frozenset({Outcome.SUCCEEDED, Outcome.UNCHANGED})
_WORDS = 600


@dataclass(frozen=True)
class Ticket:
    """An approval that waits for a decision, and the link to decide it."""

    approval: Approval
    link: str


@dataclass(frozen=True)
class Nothing:
    """Why a push has started nothing, whether that is as good, and the command that helps."""

    why: str
    good: bool = False
    way_on: str = ""


def state(deployment: Deployment, ticket: Ticket | None, now: datetime) -> str:
    """Where a deployment stands or how it ended, for whom it waits, and why; one line."""
    if deployment.outcome is not None:
        took = spoken((deployment.settled_at or now) - deployment.requested_at)
        why = _why(deployment)
        return f"{deployment.outcome} after {took}" + (f": {why}" if why else "")
    if ticket is not None:
        return f"waits for {who(ticket.approval)}: {ticket.link}"
    if deployment.phase is Phase.AWAITING_LANE and deployment.progress.awaited:
        return f"{deployment.phase}: {plain(deployment.progress.awaited, _WORDS)}"
    why = _why(deployment)
    return deployment.phase + (f": {why}" if why else "")


def who(approval: Approval) -> str:
    """Who may decide, and until when."""
    return f"{' or '.join(approval.approvers)} until {moment(approval.expires_at)}"


def row(deployment: Deployment, said: str) -> str:
    """A deployment's line: its id, its release and what is said of it."""
    return f"{deployment.deployment_id:<26} {plain(deployment.release.tag, 40):<6} {said}"


def why_nothing(lane: Lane, recent: Sequence[Deployment], digest: str) -> "Nothing | None":
    """Why a push of this digest may start nothing; None when the record knows no reason.

    ``recent`` are the lane's latest deployments, newest first.
    """
    stable, same = lane.stable, [each for each in recent if each.release.digest == digest]
    named = short_digest(digest)
    under_way = next((each for each in same if each.outcome is None), None)
    if under_way is not None:
        return Nothing(f"{under_way.deployment_id} deploys {named} already.", good=True)
    if stable is not None and stable.digest == digest:
        live = f"{named} is live on {lane.lane_id} already, by {stable.deployment_id}."
        return Nothing(live, good=True)
    again = deploy_command(lane.lane_id, digest)
    if digest in lane.bad_digests:
        failed = f"{named} failed in {lane.bad_digests[digest]}"
        return Nothing(f"{failed} and is deployed on request only.", way_on=again)
    if lane.hold is not None:
        held = f"{lane.lane_id} is on hold by {plain(lane.hold.by, 100)}."
        return Nothing(held, way_on=lift_command(lane.lane_id))
    if same:
        before = f"{same[0].deployment_id} ({same[0].outcome})"
        return Nothing(f"{named} was deployed before, by {before}.", way_on=again)
    return None


def way_on(lane: Lane) -> str:
    """The command that lets automation go on; empty unless the lane is on hold."""
    return lift_command(lane.lane_id) if lane.hold is not None else ""


def as_typed(command: str, name: str) -> str:
    """A command of `operate` as it is given to the standing cloud of this name."""
    words = shlex.split(command.removeprefix("operate "))
    by = [] if "--by" in words else ["--by", "ada"]
    return f"make operate{suffix(name)} DO={shlex.quote(shlex.join([*words, *by]))}"


def _why(deployment: Deployment) -> str:
    """What made it roll back and what ended it; the same sentence once."""
    failures = (deployment.cause, deployment.failure)
    told = dict.fromkeys(plain(each.message, _WORDS) for each in failures if each is not None)
    return " / ".join(told)
