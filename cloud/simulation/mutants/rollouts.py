"""Seeded design bugs of revisions, rollouts, verification and rollback."""

from cloud.simulation.mutants.mutant import Mutant, edit, rewire

ROLLOUTS = (
    Mutant(
        "the image is deployed by its tag",
        (
            edit(
                "steps.revision:_registration",
                "container, uri = plan.settings.target.container, plan.image.uri",
                "container = plan.settings.target.container\n"
                "    uri = f'{plan.image.repository_uri}:{plan.release.tag}'",
            ),
        ),
        ("success",),
    ),
    Mutant(
        "a stable service counts as deployed",
        (
            edit(
                "steps.deploy:_judge",
                "rollout.state is RolloutState.COMPLETED and is_ours",
                "rollout.running_count >= rollout.desired_count",
            ),
            edit(
                "domain.binding:judge_rollout",
                "rollout.primary_revision_arn !=",
                "None ==",
                "if rollout.state is RolloutState.UNDERWAY:",
                "if rollout.running_count >= rollout.desired_count:\n"
                "        return _finding('binding', Verdict.SUCCESSFUL, 'stable')\n"
                "    if rollout.state is RolloutState.UNDERWAY:",
            ),
            # Where the site reports a version, that would tell.
            edit("domain.reported:wrong_version", "if reported != version:", "if False:"),
        ),
        ("deploy-failure", "success"),
    ),
    Mutant(
        "the revision that served before is deregistered",
        (
            edit(
                "adapters.ecs.revisions:EcsRevisions.register",
                'return answer["taskDefinition"]["taskDefinitionArn"]',
                "self._client.deregister_task_definition(taskDefinition=base_arn)\n"
                '    return answer["taskDefinition"]["taskDefinitionArn"]',
            ),
        ),
        ("verify-failure", "migration-failure"),
    ),
    Mutant(
        "a rollout is started again whatever became of it",
        (edit("steps.deploy:_ensure_rollout", "if known is not None:", "if False:"),),
        ("deploy-failure",),
    ),
    Mutant(
        "a registered revision is not looked for after a lost answer",
        (
            edit(
                "steps.revision:ensure_revision",
                "if known is not None else None",
                "if False else None",
            ),
        ),
        ("success|migrate/ecs/RegisterTaskDefinition/1=lost",),
    ),
    Mutant(
        "a way back is registered again without a look for it",
        (
            edit(
                "steps.revision:ensure_way_back",
                "if known is not None else None",
                "if False else None",
            ),
        ),
        ("way-back-deregistered|rollback/ecs/RegisterTaskDefinition/1=lost",),
    ),
    Mutant(
        "a deregistered way back is used as it is",
        (
            edit(
                "steps.revision:_is_registered",
                "is RevisionState.REGISTERED",
                "is not RevisionState.DELETED",
            ),
        ),
        ("way-back-deregistered",),
    ),
    Mutant(
        "the lane keeps the revision that was deregistered",
        (edit("steps.settle:_lane_after", "_with_way_back(lane, deployment)", "lane"),),
        ("way-back-deregistered",),
    ),
    Mutant(
        "every step registers a revision of its own",
        (
            edit(
                "steps.revision:ensure_revision",
                "if known is not None and known.handle is not None:",
                "if deployment.progress.has_deployed:",
                "if known is not None else None",
                "if False else None",
            ),
        ),
        ("success",),
    ),
    Mutant(
        "a rollback goes to the revision before, not to the last good one",
        (
            edit(
                "steps.enter:_take",
                '"rollback_target": _way_back(deployment, lane)}',
                '"rollback_target": lane.stable and lane.stable.model_copy(update={'
                '"revision_arn": deployment.planned().live.revision_arn.rsplit(":", 1)[0] + ":" + '
                'str(int(deployment.planned().live.revision_arn.rsplit(":", 1)[1]) - 1)})}',
            ),
        ),
        ("verify-failure", "second-failure"),
    ),
    Mutant(
        "a verification does not ask what is live",
        (
            edit(
                "domain.binding:judge_rollout",
                "    if rollout.primary_revision_arn != expected.revision_arn:",
                "    return _finding('binding', Verdict.SUCCESSFUL, '')\n"
                "    if rollout.primary_revision_arn != expected.revision_arn:",
            ),
            edit("domain.reported:wrong_version", "if reported != version:", "if False:"),
        ),
        ("foreign-change",),
    ),
    Mutant(
        "a failed rollout is settled without a rollback",
        (rewire("Verify", catch="Settle"),),
        ("verify-failure",),
    ),
    Mutant(
        "a rollout is not verified",
        (rewire("Deploy", next="Settle"),),
        ("success", "verify-failure"),
    ),
)
