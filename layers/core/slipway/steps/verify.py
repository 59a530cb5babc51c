"""Verify: judge what is live, after a deployment and after a rollback alike.

A world that is just moving (scaled, redeployed by hand) says nothing about the release, so such a
look counts for nothing. A world that keeps moving longer than a rollout may take counts as failed.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from slipway.domain.binding import (
    Expected,
    judge_alarms,
    judge_answers,
    judge_count,
    judge_rollout,
    judge_targets,
    judge_tasks,
)
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.errors import Broken, Reason, Unhealthy
from slipway.domain.evidence import Note
from slipway.domain.plan import Plan
from slipway.domain.verdict import Finding, Judgement, Rollout, Verdict, judge
from slipway.domain.what import What
from slipway.journal import Journal, fence_of
from slipway.ports.observation import Alarms, LoadBalancers, Website
from slipway.ports.targets import Services
from slipway.steps.address import requests_for
from slipway.steps.revision import revision_of
from slipway.steps.step import StepRequest, StepResult, unchanged_result
from slipway.waits import Key, deployment_key

# For all checks of one look; the function ends after 60 seconds.
_CHECK_SECONDS: Final = 25.0


class Subject(StrEnum):
    """What should be live."""

    RELEASE = "release"
    ROLLBACK = "rollback"


_UNHEALTHY: Final = {
    Subject.RELEASE: What.RELEASE_UNHEALTHY,
    Subject.ROLLBACK: What.ROLLBACK_UNHEALTHY,
}
_IN_TRANSITION: Final = {
    Subject.RELEASE: What.RELEASE_IN_TRANSITION,
    Subject.ROLLBACK: What.ROLLBACK_IN_TRANSITION,
}
_VERIFIED: Final = {
    Subject.RELEASE: What.RELEASE_VERIFIED,
    Subject.ROLLBACK: What.ROLLBACK_VERIFIED,
}


class VerifyRequest(StepRequest):
    """The deployment to verify, or the rollback of it."""

    of: Subject = Subject.RELEASE


def keys(request: VerifyRequest) -> tuple[Key, ...]:
    """What wakes a verification beside its own interval: news of the deployment."""
    return (deployment_key(request.deployment_id),)


def verify(
    request: VerifyRequest,
    *,
    journal: Journal,
    services: Services,
    balancers: LoadBalancers,
    alarms: Alarms,
    website: Website,
) -> StepResult:
    """Take one look. Done when healthy for as long as asked; Unhealthy on a failed verdict.

    Transient when healthy while a call of this deployment may still be on its way.
    An inconclusive look counts as failed once the catalog's attempts are used up; one at a moving
    world counts for nothing, for as long as a rollout may take.
    """
    deployment = journal.records.deployment(request.deployment_id)
    before = _earlier_verdict(deployment, request.of)
    if before is not None:
        return before
    deployment = _begin(deployment, request.of)
    expected = _expectation(deployment, request.of)
    rollout = services.rollout(deployment.planned().settings.target, expected.revision_arn)
    binding = judge_rollout(rollout, expected)
    # While a rollout goes on, tasks can neither be healthy nor answer.
    under_way = binding.verdict is Verdict.MOVING
    tasks = [] if under_way else list(_task_findings(deployment, rollout, balancers))
    findings = [binding, *tasks]
    # After a rollback an alarm may still be firing for the release that is gone.
    if request.of is Subject.RELEASE:
        findings += _alarm_findings(deployment.planned(), alarms)
    if not under_way and not _has_no_task_serving(deployment, rollout, tasks):
        findings += _answer_findings(deployment.planned(), expected, website)
    return _decide(deployment, request.of, judge(findings), rollout, journal)


def _earlier_verdict(deployment: Deployment, of: Subject) -> StepResult | None:
    """The result that an earlier look has decided; raises what an earlier look ended with."""
    deployment.refuse_when_ended()
    if of is Subject.ROLLBACK and not deployment.has_changed:
        return unchanged_result()
    if of is Subject.RELEASE:
        deployment.refuse_to_go_forward()
    if _is_verified(deployment, of):
        return StepResult(done=True, reason=Reason.VERIFIED, message="already verified")
    if deployment.progress.looks.verdict is not None:
        raise Unhealthy(_failure_reason(of), deployment.progress.looks.verdict)
    return None


def _begin(deployment: Deployment, of: Subject) -> Deployment:
    """The deployment in its phase; a rollback keeps its own and cannot be cancelled."""
    if of is Subject.ROLLBACK:
        return deployment
    deployment.refuse_to_continue()
    return deployment.at(Phase.VERIFYING)


def _is_verified(deployment: Deployment, of: Subject) -> bool:
    """Whether an earlier look, whose answer was lost, has judged already."""
    progress = deployment.progress
    judged = progress.verified_at if of is Subject.RELEASE else progress.rolled_back_at
    return judged is not None


def _expectation(deployment: Deployment, of: Subject) -> Expected:
    if of is Subject.ROLLBACK:
        return _expectation_after_rollback(deployment)
    image = deployment.planned().image
    return Expected(
        revision_arn=revision_of(deployment),
        digests=(image.digest, image.platform_digest),
        version=image.version,
    )


def _expectation_after_rollback(deployment: Deployment) -> Expected:
    target = deployment.goes_back_to
    if target is None:
        message = "No release was verified here before."
        raise Broken(Reason.NOTHING_TO_ROLL_BACK_TO, message)
    return Expected(
        revision_arn=target.revision_arn,
        digests=(target.digest, target.platform_digest),
        version=target.version,
    )


def _task_findings(
    deployment: Deployment, rollout: Rollout, balancers: LoadBalancers
) -> Iterator[Finding]:
    """The service's tasks in every target group, also those that the checks do not go through."""
    live, anew = deployment.planned().live, deployment.progress.looks.was_emptied
    groups = live.target_groups
    if not groups:
        yield judge_count(rollout, starts_anew=anew) or judge_tasks(rollout)
    for arn in groups:
        targets = balancers.targets(arn)
        found = judge_targets(targets, rollout, live.desired_count, starts_anew=anew)
        where = f"{arn.split('/')[1]}: " if len(groups) > 1 and "/" in arn else ""
        yield found.model_copy(update={"message": f"{where}{found.message}"})


def _has_no_task_serving(deployment: Deployment, rollout: Rollout, tasks: list[Finding]) -> bool:
    """Whether no task of the release can answer: a 503 is then the load balancer's, not its own."""
    moving = any(found.verdict is Verdict.MOVING for found in tasks)
    return moving and (rollout.desired_count == 0 or deployment.progress.looks.was_emptied)


def _alarm_findings(plan: Plan, alarms: Alarms) -> Iterator[Finding]:
    names = tuple(dict.fromkeys(plan.settings.verification.alarms))
    if names:
        seen = alarms.look(names)
        yield judge_alarms(names, seen.firing, seen.without_data)


def _answer_findings(plan: Plan, expected: Expected, website: Website) -> Iterator[Finding]:
    verification = plan.settings.verification
    checks = verification.checks
    if checks:
        answers = website.get_all(requests_for(checks, plan.live), _CHECK_SECONDS)
        yield from judge_answers(answers, checks, expected.version)
    elif not verification.alarms and not plan.live.target_groups:
        message = "nothing else was checked: no load balancer, no HTTP checks, no alarms"
        yield Finding(what="checks", verdict=Verdict.SUCCESSFUL, message=message)


def _decide(
    deployment: Deployment, of: Subject, judgement: Judgement, rollout: Rollout, journal: Journal
) -> StepResult:
    if judgement.verdict is Verdict.SUCCESSFUL:
        return _record_healthy(deployment, of, judgement, rollout, journal)
    if judgement.verdict is Verdict.MOVING:
        return _record_moving(deployment, of, judgement, rollout, journal)
    number = deployment.progress.looks.failed + 1
    attempts = deployment.planned().settings.verification.attempts
    final = judgement.verdict is Verdict.FAILED or number >= attempts
    # A look may end after its state has given up on it; the next one finds the verdict here.
    looks = deployment.progress.looks.wanting(judgement.message if final else None)
    note = Note(what=_UNHEALTHY[of], message=judgement.message, data={"look": number})
    journal.write(deployment.with_looks(looks), note)
    if final:
        raise Unhealthy(_failure_reason(of), judgement.message)
    return StepResult(done=False, reason=Reason.WAITING, message=judgement.message)


def _record_moving(
    deployment: Deployment, of: Subject, judgement: Judgement, rollout: Rollout, journal: Journal
) -> StepResult:
    """Look again; Unhealthy when it has moved for longer than a rollout may take."""
    looks = deployment.progress.looks
    since = looks.moving_since or journal.now
    minutes = deployment.planned().settings.strategy.timeout_minutes
    if journal.now - since > timedelta(minutes=minutes):
        verdict = f"{judgement.message} This has lasted for more than {minutes} minutes."
        note = Note(what=_UNHEALTHY[of], message=verdict)
        journal.write(deployment.with_looks(looks.endless(verdict)), note)
        raise Unhealthy(_failure_reason(of), verdict)
    # What bakes goes on baking while tasks of it run: the others say nothing about it.
    emptied = looks.was_emptied or rollout.desired_count == 0
    least = min(deployment.planned().live.desired_count, rollout.desired_count)
    enough = not emptied and 0 < least <= rollout.running_count
    baking = looks.healthy_since if enough else None
    known = deployment.with_looks(looks.moving(since, baking, emptied=emptied))
    if known != deployment:
        journal.write(known, Note(what=_IN_TRANSITION[of], message=judgement.message))
    return StepResult(done=False, reason=Reason.WAITING, message=judgement.message)


def _failure_reason(of: Subject) -> Reason:
    return Reason.RELEASE_UNHEALTHY if of is Subject.RELEASE else Reason.ROLLBACK_NOT_LIVE


def _record_healthy(
    deployment: Deployment, of: Subject, judgement: Judgement, rollout: Rollout, journal: Journal
) -> StepResult:
    now, before = journal.now, deployment.progress
    deployment = _with_healthy_look(deployment, of, rollout, now)
    since = deployment.progress.looks.healthy_since or now
    bake = timedelta(seconds=_bake_seconds(deployment, of))
    if now - since < bake:
        left = int((bake - (now - since)).total_seconds())
        if deployment.progress != before:
            journal.write(deployment, Note(what=What.RELEASE_BAKING, message="baking"))
        message = f"healthy; {left} more seconds to bake"
        return StepResult(done=False, reason=Reason.WAITING, message=message)
    # A call that arrives late would undo what was just verified.
    deployment.refuse_while_acting(now)
    progress = deployment.progress
    seen = progress.verified(now) if of is Subject.RELEASE else progress.rolled_back(now)
    note = Note(what=_VERIFIED[of], message=judgement.message)
    journal.write(deployment.having(seen), note, fence=fence_of(deployment))
    return StepResult(done=True, reason=Reason.VERIFIED, message=judgement.message)


def _with_healthy_look(
    deployment: Deployment, of: Subject, rollout: Rollout, now: datetime
) -> Deployment:
    """The deployment with what a healthy look adds.

    Where another ECS deployment of the same revision has replaced ours, all tasks are new ones:
    they bake anew.
    """
    looks, service = deployment.progress.looks, deployment.service
    effect, serving = service.rollout, rollout.primary_deployment_id
    if of is Subject.ROLLBACK or effect is None or effect.handle == serving:
        return deployment.with_looks(looks.healthy(looks.healthy_since or now))
    replaced = deployment.with_service(service.with_rollout(effect.known_as(serving)))
    return replaced.with_looks(looks.healthy(now))


def _bake_seconds(deployment: Deployment, of: Subject) -> int:
    verification = deployment.planned().settings.verification
    return verification.bake_seconds if of is Subject.RELEASE else 0
