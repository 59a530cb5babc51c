"""Seeded design bugs of waiting: lost events, stopped executions, what the sweep looks for."""

from cloud.simulation.mutants.mutant import Mutant, edit

WAKEUPS = (
    Mutant(
        "a step looks first and parks then",
        (
            edit(
                "runtime.waiting:Waiting.serve",
                "return [self._answer(step, request, self._park(step, request, call.task_token))]",
                "parked = _parkings(step, request, call.task_token, self.now() + _KEPT)\n"
                "    found = self._answer(step, request, parked)\n"
                "    if not found.done:\n"
                "        self.parking.park(parked)\n"
                "    return [found]",
            ),
        ),
        (
            "success|event/RDS DB Snapshot Event/2=before-parking",
            "success|event/ECR Image Scan/1=before-parking",
            "success|event/ECS Task State Change/1=before-parking",
        ),
    ),
    Mutant(
        "a stopped execution is settled by nobody",
        (
            edit(
                "steps.execution_end:settle_request", 'if "detail-type" not in event:', "if True:"
            ),
            edit("chores.waiting:_look_after", "executions.known(deployment_id):", "False:"),
        ),
        ("abort", "abort@Verify"),
    ),
    Mutant(
        "a stopped execution is settled while its function still runs",
        (
            edit("steps.execution_end:may_still_change", "return changing and", "return False and"),
            edit("domain.progress:Progress.is_calling", "return any(", "return False and any("),
        ),
        ("abort|deploy/ecs/UpdateService/1=lost", "abort"),
    ),
    Mutant(
        "a lane is freed while a call may be on its way",
        (edit("domain.progress:Progress.is_calling", "return any(", "return False and any("),),
        (
            "cancel@Deploy|deploy/ecs/UpdateService/1=lost",
            "cancel@Deploy|deploy/ecs/UpdateService/1=lost;"
            "rollback/ecs/DescribeServices/1=permanent",
        ),
    ),
    Mutant(
        "lost pushes are not looked for",
        (edit("chores.pushes:lost_pushes", "if not repositories:", "if True:"),),
        ("lost-push",),
    ),
    Mutant(
        "lost promotions are not looked for",
        (edit("chores.promotions:lost_promotions", "if missing:", "if False:"),),
        ("promotion|event/Deployment Settled/1=drop",),
    ),
    Mutant(
        "an event is believed without looking",
        (
            edit(
                "runtime.waiting:Waiting._resume",
                "return self._answer(step, request, everywhere)",
                "self.tokens.success(parked.token, '{}')\n"
                "    return Check(deployment_id=request.deployment_id, done=True,\n"
                "                 reason=Reason.WAITING, message='')",
            ),
        ),
        ("success", "deploy-failure"),
    ),
)
