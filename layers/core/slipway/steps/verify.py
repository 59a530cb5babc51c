"""Verify: judge what is live, after a deployment and after a rollback alike."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from slipway.domain.binding import (
    Expected,
    judge_alarms,
    judge_answer,
    judge_rollout,
    judge_targets,
)
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.errors import Broken, Reason, Unhealthy
from slipway.domain.evidence import Note
from slipway.domain.plan import Plan
from slipway.domain.verdict import Finding, Judgement, Verdict, judge
from slipway.ports import Alarms, LoadBalancers, Records, Services, Website
from slipway.steps.revision import revision_of
from slipway.steps.step import StepRequest, StepResult, fence_of, record


class Subject(StrEnum):
    """What should be live."""

    RELEASE = "release"
    ROLLBACK = "rollback"


class VerifyRequest(StepRequest):
    """The deployment to verify, or the rollback of it."""

    of: Subject = Subject.RELEASE


def keys(request: VerifyRequest) -> tuple[str, ...]:
    """What wakes a verification beside its own interval: news of the deployment."""
    return (f"deployment:{request.deployment_id}",)


def verify(
    request: VerifyRequest,
    *,
    records: Records,
    services: Services,
    balancers: LoadBalancers,
    alarms: Alarms,
    website: Website,
    now: datetime,
) -> StepResult:
    """Take one look. Done when healthy for as long as asked; Unhealthy on a failed verdict.

    Transient when healthy while a call of this deployment may still be on its way.
    A look that decides nothing counts as failed once the catalog's attempts are used up.
    """
    deployment = records.deployment(request.deployment_id)
    deployment.refuse_when_ended()
    if request.of is Subject.ROLLBACK and not deployment.has_changed:
        return StepResult(done=True, reason=Reason.VERIFIED, message="nothing had been changed")
    if request.of is Subject.RELEASE:
        deployment.refuse_to_go_forward()
    if _known(deployment, request.of):
        return StepResult(done=True, reason=Reason.VERIFIED, message="verified before")
    if deployment.progress.found_wanting is not None:
        raise Unhealthy(_blame(request.of), deployment.progress.found_wanting)
    if request.of is Subject.RELEASE:
        deployment.refuse_to_continue()
        deployment = deployment.at(Phase.VERIFYING)
    plan = deployment.planned()
    expected = _expected(deployment, request.of)
    findings = _findings(plan, expected, request.of, services, balancers, alarms, website)
    return _decided(deployment, request.of, judge(list(findings)), records, now)


def _known(deployment: Deployment, of: Subject) -> bool:
    """Whether an earlier look, whose answer was lost, has judged already."""
    progress = deployment.progress
    judged = progress.verified_at if of is Subject.RELEASE else progress.rolled_back_at
    return judged is not None


def _expected(deployment: Deployment, of: Subject) -> Expected:
    if of is Subject.ROLLBACK:
        return _expected_after_rollback(deployment)
    image = deployment.planned().image
    return Expected(
        revision_arn=revision_of(deployment),
        digests=(image.digest, image.platform_digest),
        version=image.version,
        ecs_deployment_id=deployment.progress.ecs_deployment_id,
    )


def _expected_after_rollback(deployment: Deployment) -> Expected:
    target = deployment.goes_back_to
    if target is None:
        message = "Nothing was seen healthy here before."
        raise Broken(Reason.NOTHING_TO_ROLL_BACK_TO, message)
    return Expected(
        revision_arn=target.revision_arn,
        digests=(target.digest, target.platform_digest),
        version=target.version,
    )


def _findings(
    plan: Plan,
    expected: Expected,
    of: Subject,
    services: Services,
    balancers: LoadBalancers,
    alarms: Alarms,
    website: Website,
) -> Iterable[Finding]:
    verification = plan.settings.verification
    rollout = services.rollout(plan.settings.target, expected.revision_arn)
    yield judge_rollout(rollout, expected)
    if plan.live.target_group_arn is not None:
        targets = balancers.targets(plan.live.target_group_arn)
        yield judge_targets(targets, rollout.desired_count)
    # After a rollback an alarm may still ring for the release that is gone.
    if verification.alarms and of is Subject.RELEASE:
        yield judge_alarms(verification.alarms, alarms.firing(verification.alarms))
    for check in verification.checks:
        answer = website.get(f"{plan.live.base_url or ''}{check.path}")
        yield judge_answer(answer, check, expected.version)


def _decided(
    deployment: Deployment, of: Subject, judgement: Judgement, records: Records, now: datetime
) -> StepResult:
    settings = deployment.planned().settings.verification
    if judgement.verdict is Verdict.SUCCESSFUL:
        return _healthy(deployment, of, judgement, records, now)
    looks = deployment.progress.failed_looks + 1
    final = judgement.verdict is Verdict.FAILED or looks >= settings.attempts
    # A look may end after its state has given up on it; the next one finds the verdict here.
    verdict = judgement.message if final else None
    known = deployment.knowing(failed_looks=looks, healthy_since=None, found_wanting=verdict)
    note = Note(what=f"{of} found wanting", message=judgement.message, data={"look": looks})
    record(records, known, note, now=now)
    if final:
        raise Unhealthy(_blame(of), judgement.message)
    return StepResult(done=False, reason=Reason.WAITING, message=judgement.message)


def _blame(of: Subject) -> Reason:
    return Reason.RELEASE_UNHEALTHY if of is Subject.RELEASE else Reason.ROLLBACK_NOT_LIVE


def _healthy(
    deployment: Deployment, of: Subject, judgement: Judgement, records: Records, now: datetime
) -> StepResult:
    since = deployment.progress.healthy_since or now
    bake = timedelta(seconds=_bake_seconds(deployment, of))
    if now - since < bake:
        left = int((bake - (now - since)).total_seconds())
        _remember(deployment.knowing(healthy_since=since), records, now)
        message = f"healthy; {left} more seconds to bake"
        return StepResult(done=False, reason=Reason.WAITING, message=message)
    # A call that comes late would undo what has just been seen.
    deployment.refuse_while_acting(now)
    at = {"verified_at": now} if of is Subject.RELEASE else {"rolled_back_at": now}
    note = Note(what=f"{of} verified", message=judgement.message)
    record(records, deployment.knowing(**at), note, now=now, fence=fence_of(deployment))
    return StepResult(done=True, reason=Reason.VERIFIED, message=judgement.message)


def _remember(deployment: Deployment, records: Records, now: datetime) -> None:
    if deployment.progress.healthy_since == now:
        record(records, deployment, Note(what="release healthy", message="baking"), now=now)


def _bake_seconds(deployment: Deployment, of: Subject) -> int:
    verification = deployment.planned().settings.verification
    return verification.bake_seconds if of is Subject.RELEASE else 0
