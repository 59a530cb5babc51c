"""Judge what is live against what should be: revision, digest, tasks, targets, answers, alarms."""

from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import urljoin, urlsplit

from slipway.domain.model import Model
from slipway.domain.reported import wrong_version
from slipway.domain.text import plain
from slipway.domain.verdict import (
    Finding,
    HttpAnswer,
    RegisteredTarget,
    Rollout,
    RolloutState,
    TargetHealth,
    Verdict,
    silence,
)
from slipway.domain.verification import HttpCheck

_NAMED: Final = 5
_SHOWN: Final = 200


class Expected(Model):
    """What should be serving: a new release, or the one that was rolled back to."""

    revision_arn: str
    digests: tuple[str, ...]
    version: str | None


def judge_rollout(rollout: Rollout, expected: Expected) -> Finding:
    """The PRIMARY deployment has the expected revision, is complete and runs the expected image.

    Which ECS deployment brought it there does not matter: somebody may have forced a new one of
    the same revision, to read a rotated secret for example.
    """
    if rollout.primary_revision_arn != expected.revision_arn:
        return _finding(
            "binding", Verdict.FAILED, f"{rollout.primary_revision_arn} is live instead."
        )
    if rollout.state is RolloutState.UNDERWAY:
        return _finding("binding", Verdict.MOVING, "The rollout is still in progress.")
    if rollout.state is not RolloutState.COMPLETED:
        return _finding("binding", Verdict.FAILED, f"ECS reports the rollout as {rollout.told}.")
    if not set(rollout.digests) & set(expected.digests):
        seen = ", ".join(digest[:19] for digest in rollout.digests) or "no digest"
        return _finding("binding", Verdict.FAILED, f"The running tasks report {seen}.")
    return _finding("binding", Verdict.SUCCESSFUL, f"{rollout.primary_deployment_id} is live")


def judge_tasks(rollout: Rollout) -> Finding:
    """As many tasks run as the service wants: all that is known without a load balancer."""
    running, wanted = rollout.running_count, rollout.desired_count
    message = f"{running} of {wanted} tasks running"
    if running >= wanted:
        return _finding("tasks", Verdict.SUCCESSFUL, message)
    return _finding("tasks", Verdict.MOVING if running else Verdict.INCONCLUSIVE, f"{message}.")


def judge_count(rollout: Rollout, *, starts_anew: bool = False) -> Finding | None:
    """Why the release cannot be observed yet, or None when its tasks can be judged.

    ``starts_anew`` says that the service wanted no task when it was looked at last: those that it
    wants now have to start first.
    """
    wanted, running = rollout.desired_count, rollout.running_count
    if wanted == 0:
        message = "The service has a desired count of 0, so nothing can be seen of the release."
        return _finding("count", Verdict.MOVING, message)
    if starts_anew and running < wanted:
        message = f"{running} of {wanted} tasks running since the service was scaled to 0."
        return _finding("count", Verdict.MOVING, message)
    return None


def judge_targets(
    targets: Sequence[RegisteredTarget],
    rollout: Rollout,
    planned_count: int,
    *,
    starts_anew: bool = False,
) -> Finding:
    """Every target that takes requests is healthy, and there are as many as the service wants.

    ``planned_count`` is the desired count when the plan was made. A count that changes in the
    middle, up or down, says nothing about the release as long as nobody is unhealthy.
    """
    healthy = sum(target.health is TargetHealth.HEALTHY for target in targets)
    wanted = rollout.desired_count
    # A target that is leaving says nothing.
    fine = {TargetHealth.HEALTHY, TargetHealth.LEAVING}
    wanting = [target for target in targets if target.health not in fine]
    message = f"{healthy} of {wanted} targets are healthy ({_target_names(wanting)})."
    if any(target.health is TargetHealth.UNHEALTHY for target in targets):
        return _finding("targets", Verdict.INCONCLUSIVE, message)
    moving = judge_count(rollout, starts_anew=starts_anew) or _judge_start(
        wanting, rollout, healthy, message, starts_anew=starts_anew
    )
    if moving is not None:
        return moving
    if healthy < wanted:
        return _finding("targets", Verdict.INCONCLUSIVE, message)
    if wanted < min(planned_count, rollout.running_count):
        message = f"The service is scaling in to {wanted} tasks."
        return _finding("targets", Verdict.MOVING, message)
    return _finding("targets", Verdict.SUCCESSFUL, f"{healthy} targets healthy")


def _judge_start(
    wanting: Sequence[RegisteredTarget],
    rollout: Rollout,
    healthy: int,
    message: str,
    *,
    starts_anew: bool,
) -> Finding | None:
    """That tasks are still starting beside healthy ones, or after a time without any; or None."""
    wanted, running = rollout.desired_count, rollout.running_count
    if healthy and running < wanted:
        message = f"{healthy} targets are healthy; {running} of {wanted} tasks running."
        return _finding("targets", Verdict.MOVING, message)
    starting = [one.health is TargetHealth.STARTING for one in wanting]
    if (healthy and any(starting)) or (healthy < wanted and starts_anew and all(starting)):
        return _finding("targets", Verdict.MOVING, message)
    return None


def _target_names(targets: Sequence[RegisteredTarget]) -> str:
    named = [plain(f"{t.address} {t.told} {t.reason}", _SHOWN) for t in targets[:_NAMED]]
    more = len(targets) - len(named)
    return ", ".join([*named, f"and {more} more"] if more else named) or "none"


def judge_answer(answer: HttpAnswer, check: HttpCheck, version: str | None) -> Finding:
    """The answer has the expected status and body, and names the release's version."""
    wrong = _answer_problem(answer, check, version)
    if wrong is None:
        return _finding(check.path, Verdict.SUCCESSFUL, f"{check.path} answers {answer.status}")
    return _finding(check.path, Verdict.INCONCLUSIVE, f"{answer.url} {wrong}.")


def judge_answers(
    answers: Iterable[HttpAnswer], checks: Iterable[HttpCheck], version: str | None
) -> tuple[Finding, ...]:
    """The finding of every check; a check without an answer is inconclusive, never forgotten."""
    given = iter(answers)
    nothing = HttpAnswer(url="", status=0, body="no request was made")
    return tuple(judge_answer(next(given, nothing), check, version) for check in checks)


def judge_alarms(
    names: Sequence[str], firing: Sequence[str], without_data: Sequence[str] = ()
) -> Finding:
    """No alarm of the verification fires; one without data cannot, which is said."""
    if firing:
        return _finding("alarms", Verdict.FAILED, f"In alarm: {', '.join(firing)}.")
    quiet = silence(f"{len(set(names))} alarms quiet", without_data)
    return _finding("alarms", Verdict.SUCCESSFUL, quiet)


def _finding(what: str, verdict: Verdict, message: str) -> Finding:
    return Finding(what=what, verdict=verdict, message=message)


def _answer_problem(answer: HttpAnswer, check: HttpCheck, version: str | None) -> str | None:
    if answer.status == 0:
        return f"did not answer ({plain(answer.body, _SHOWN)})"
    elsewhere = _redirect_problem(answer, check)
    if elsewhere is not None:
        return elsewhere
    if answer.status != check.status:
        leads = f" and redirects to {plain(answer.location, _SHOWN)}" if answer.location else ""
        return f"answered {answer.status} instead of {check.status}{leads}"
    if check.contains is not None and check.contains not in answer.body:
        empty = "" if answer.body else "has an empty body and "
        return f"{empty}does not contain '{check.contains}'"
    if check.version_field is not None and version is not None:
        return wrong_version(answer, check.version_field, version)
    return None


def _redirect_problem(answer: HttpAnswer, check: HttpCheck) -> str | None:
    """What is wrong with the place that answered: a login page is not the page that was asked."""
    asked = urlsplit(answer.url).path
    place = answer.answered_by or urljoin(answer.url, answer.location)
    led_to = urlsplit(place).path
    if check.redirects_to and urlsplit(place).hostname != urlsplit(answer.url).hostname:
        return f"redirects to another host: {plain(place, _SHOWN)}"
    if check.redirects_to is not None and led_to != check.redirects_to:
        return f"redirects to {plain(led_to, _SHOWN)}, not to {check.redirects_to}"
    if not answer.answered_by or led_to in (asked, check.redirects_to):
        return None
    return (
        f"redirects to {plain(led_to, _SHOWN)}, which is another page (it answered "
        f"{answer.status}); check that path, or allow it with redirects_to in the catalog"
    )
