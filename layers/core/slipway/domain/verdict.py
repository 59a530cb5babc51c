"""A look at the world and its judgement: what counts as deployed, and as healthy."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from slipway.domain.errors import Reason
from slipway.domain.model import Model
from slipway.domain.text import cut

# However many checks a catalog names, the message about them is bounded.
_MOST: Final = 2000


class Verdict(StrEnum):
    """A judgement. Inconclusive and Moving are neither good nor bad: look again.

    An inconclusive look counts against the release; one at a world that is just moving (a count
    of tasks, a redeployment) says nothing about it and counts for nothing.
    """

    SUCCESSFUL = "successful"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    MOVING = "moving"


class RolloutState(StrEnum):
    """What became of one revision: nothing yet, on its way, there, or given up on the way."""

    ABSENT = "absent"
    UNDERWAY = "underway"
    COMPLETED = "completed"
    GIVEN_UP = "given up"


class Rollout(Model):
    """What a service runs, and what became of one revision there.

    ``primary_*`` describe what the service is being brought to now. ``state`` is that of the newest
    rollout that targeted the revision and ``digests`` are what its images resolved to. ``told`` is
    the platform's own word for the state, for people, and ``reason`` why a rollout was given up.
    """

    primary_deployment_id: str
    primary_revision_arn: str
    state: RolloutState
    told: str
    reason: Reason | None = None
    digests: tuple[str, ...]
    desired_count: int
    running_count: int
    events: tuple[str, ...] = ()


class TargetHealth(StrEnum):
    """How a target does; one that is silent neither takes requests nor is about to."""

    HEALTHY = "healthy"
    STARTING = "starting"
    UNHEALTHY = "unhealthy"
    LEAVING = "leaving"
    SILENT = "silent"


class RegisteredTarget(Model):
    """One target of the load balancer; ``told`` is the balancer's own word for its health."""

    address: str
    health: TargetHealth
    told: str
    reason: str


class AlarmsSeen(Model):
    """What alarms say; ``firing`` also names those that do not exist (with the words for it).

    ``without_data`` are in the state INSUFFICIENT_DATA: they do not fire, and could not.
    """

    firing: tuple[str, ...] = ()
    without_data: tuple[str, ...] = ()


def silence(quiet: str, without_data: Sequence[str]) -> str:
    """That alarms are quiet, in words, and which of them only for lack of data."""
    if not without_data:
        return quiet
    return f"{quiet}, of which {', '.join(without_data)} without data (INSUFFICIENT_DATA)"


class HttpRequest(Model):
    """One GET; without ``follow`` a redirect is the answer."""

    url: str
    follow: bool = True


class HttpAnswer(Model):
    """What one request got; ``status`` 0 means that no answer came, ``body`` then says why.

    ``answered_by`` is the URL that answered where redirects led to another one, ``location`` the
    place that a redirect names which was not followed, ``media_type`` what the body is said to be
    (``text/html``). ``body`` is text of at most 64 Ki characters.
    """

    url: str
    status: int
    body: str
    answered_by: str = ""
    location: str = ""
    media_type: str = ""


class Finding(Model):
    """One thing that was looked at."""

    what: str
    verdict: Verdict
    message: str


class Judgement(Model):
    """All findings of one look, and what they amount to."""

    verdict: Verdict
    findings: tuple[Finding, ...]

    @property
    def message(self) -> str:
        """What a person has to know: the findings that are not good, or that all are."""
        against = {Verdict.FAILED, Verdict.INCONCLUSIVE}
        telling = {Verdict.MOVING} if self.verdict is Verdict.MOVING else against
        wanting = [f.message for f in self.findings if f.verdict in telling]
        return cut(" ".join(wanting) or "; ".join(f.message for f in self.findings), _MOST)


def judge(findings: list[Finding]) -> Judgement:
    """The worst finding decides; nothing looked at is inconclusive, never success."""
    found = {finding.verdict for finding in findings} or {Verdict.INCONCLUSIVE}
    worst = (Verdict.FAILED, Verdict.INCONCLUSIVE, Verdict.MOVING, Verdict.SUCCESSFUL)
    verdict = next(verdict for verdict in worst if verdict in found)
    return Judgement(verdict=verdict, findings=tuple(findings))
