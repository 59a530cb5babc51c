"""What has to be live for an outcome to be ours: deployment, revision and digest."""

import json
from collections.abc import Sequence
from typing import Final

from slipway.domain.catalog import HttpCheck
from slipway.domain.model import Model
from slipway.domain.verdict import Finding, HttpAnswer, Rollout, Target, Verdict

_MOVING: Final = frozenset({"PENDING", "IN_PROGRESS"})


class Expected(Model):
    """What should be serving: a new release, or the one that was rolled back to."""

    revision_arn: str
    digests: tuple[str, ...]
    version: str | None
    ecs_deployment_id: str | None = None


def judge_rollout(rollout: Rollout, expected: Expected) -> Finding:
    """The PRIMARY deployment is the expected one, complete, and runs the expected image."""
    if rollout.primary_revision_arn != expected.revision_arn:
        return _finding(
            "binding", Verdict.FAILED, f"{rollout.primary_revision_arn} is live instead."
        )
    known = expected.ecs_deployment_id
    if known is not None and rollout.primary_deployment_id != known:
        return _finding(
            "binding", Verdict.FAILED, f"{rollout.primary_deployment_id} replaced {known}."
        )
    if rollout.status in _MOVING:
        return _finding("binding", Verdict.INCONCLUSIVE, "The rollout is still in progress.")
    if rollout.status != "SUCCESSFUL":
        return _finding("binding", Verdict.FAILED, f"ECS calls the rollout {rollout.status}.")
    if not set(rollout.digests) & set(expected.digests):
        seen = ", ".join(digest[:19] for digest in rollout.digests) or "no digest"
        return _finding("binding", Verdict.FAILED, f"The running tasks report {seen}.")
    return _finding("binding", Verdict.SUCCESSFUL, f"{rollout.primary_deployment_id} is live")


def judge_targets(targets: Sequence[Target], desired_count: int) -> Finding:
    """At least the desired number of targets is healthy; draining ones are on their way out."""
    healthy = sum(target.state == "healthy" for target in targets)
    if healthy >= desired_count:
        return _finding("targets", Verdict.SUCCESSFUL, f"{healthy} targets healthy")
    wanting = [f"{t.address} {t.state} {t.reason}".strip() for t in targets if t.state != "healthy"]
    message = f"{healthy} of {desired_count} targets are healthy ({', '.join(wanting) or 'none'})."
    return _finding("targets", Verdict.INCONCLUSIVE, message)


def judge_answer(answer: HttpAnswer, check: HttpCheck, version: str | None) -> Finding:
    """The answer has the expected status and body, and names the release's version."""
    wrong = _wrong_with(answer, check, version)
    if wrong is None:
        return _finding(check.path, Verdict.SUCCESSFUL, f"{check.path} answers {answer.status}")
    return _finding(check.path, Verdict.INCONCLUSIVE, f"{answer.url} {wrong}.")


def judge_alarms(names: Sequence[str], firing: Sequence[str]) -> Finding:
    """No alarm of the verification fires."""
    if firing:
        return _finding("alarms", Verdict.FAILED, f"In alarm: {', '.join(firing)}.")
    return _finding("alarms", Verdict.SUCCESSFUL, f"{len(names)} alarms quiet")


def _finding(what: str, verdict: Verdict, message: str) -> Finding:
    return Finding(what=what, verdict=verdict, message=message)


def _wrong_with(answer: HttpAnswer, check: HttpCheck, version: str | None) -> str | None:
    if answer.status == 0:
        return f"did not answer ({answer.body})"
    if answer.status != check.status:
        return f"answered {answer.status} instead of {check.status}"
    if check.contains is not None and check.contains not in answer.body:
        return f"does not contain '{check.contains}'"
    if check.version_field is not None and version is not None:
        reported = _field(answer.body, check.version_field)
        if reported != version:
            return f"reports version {reported} instead of {version}"
    return None


def _field(body: str, name: str) -> str | None:
    try:
        value = json.loads(body)[name]
    except (ValueError, KeyError, TypeError):
        return None
    return str(value)
