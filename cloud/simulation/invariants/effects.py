"""Checked at every call that changes the user's systems, at the moment it is made."""

from cloud.simulation.trace import Effect, actor_of
from cloud.simulation.watch import Watch
from slipway.domain.approval import Answer
from slipway.domain.database import Database
from slipway.domain.deployment import Deployment


def check_effect(watch: Watch, effect: Effect) -> None:
    """Report what is wrong with a call that is about to take effect."""
    deployment_id = actor_of(effect)
    deployment = watch.deployment(deployment_id)
    if deployment is None:
        return watch.report(12, f"{effect.operation} for the unknown {deployment_id}")
    _check_lane(watch, effect, deployment)
    _check_not_ended(watch, effect, deployment)
    _check_hold(watch, effect, deployment)
    if effect.operation == "UpdateService" and effect.function == "deploy":
        _check_approval(watch, effect, deployment)
        _check_one_rollout(watch, effect, deployment)
    if effect.operation == "RunTask" and "/migrate" in effect.params["startedBy"]:
        _check_backup(watch, deployment)
    if effect.operation == "RunTask":
        _check_database(watch, effect, deployment)


def _check_lane(watch: Watch, effect: Effect, deployment: Deployment) -> None:
    """One deployment changes a lane at a time."""
    lane = watch.lane(deployment.lane_id)
    if lane.holder != deployment.deployment_id:
        watch.report(
            1,
            f"{effect.operation} by {deployment.deployment_id} while {lane.holder} holds "
            f"{lane.lane_id}",
        )
    elif lane.fencing != deployment.fencing:
        watch.report(2, f"{effect.operation} with {deployment.fencing}, not {lane.fencing}")
    cluster = effect.params.get("cluster")
    if cluster is not None and cluster != deployment.lane_id.replace("/", "-"):
        watch.report(1, f"{effect.operation} in {cluster} for {deployment.lane_id}")


def _check_not_ended(watch: Watch, effect: Effect, deployment: Deployment) -> None:
    if deployment.outcome is not None:
        what = f"{effect.operation} by {deployment.deployment_id}"
        watch.report(4, f"{what} after it ended as {deployment.outcome}")


def _check_hold(watch: Watch, effect: Effect, deployment: Deployment) -> None:
    """On a held lane only what a person asked for explicitly changes anything."""
    hold = watch.lane(deployment.lane_id).hold
    if hold is not None and not deployment.explicit:
        watch.report(4, f"{effect.operation} on a lane that {hold.by} has put on hold")


def _check_one_rollout(watch: Watch, effect: Effect, deployment: Deployment) -> None:
    """A revision that ECS has given up must not be started again."""
    services = {one.cluster_arn.rsplit("/", 1)[-1]: one for one in watch.cloud.services()}
    history = services[effect.params["cluster"]].history
    wanted = effect.params["taskDefinition"]
    targets = [one.target.definition["taskDefinitionArn"] for one in history]
    if targets.count(wanted) > 1:
        watch.report(6, f"{deployment.deployment_id} was rolled out more than once")


def _check_approval(watch: Watch, effect: Effect, deployment: Deployment) -> None:
    """The digest that is deployed is the one that was planned, and approved where that is asked."""
    plan = deployment.planned()
    image = _image_of(watch, effect.params["taskDefinition"])
    if image.partition("@")[2] != plan.release.digest:
        watch.report(3, f"{image} is deployed, not {plan.release.digest}")
    if not plan.needs_approval:
        return
    approval = watch.approval(deployment.deployment_id)
    decision = approval.decision if approval else None
    if approval is None or decision is None or decision.answer is not Answer.APPROVE:
        return watch.report(3, f"{deployment.deployment_id} is deployed without approval")
    if image.partition("@")[2] != approval.digest or approval.plan_hash != plan.plan_hash:
        watch.report(3, f"{image} is deployed, {approval.digest} was approved")


def _image_of(watch: Watch, revision_arn: str) -> str:
    definition = watch.cloud.ecs._definitions.find(revision_arn)
    return str(definition["containerDefinitions"][0]["image"]) if definition else "nothing"


def _check_backup(watch: Watch, deployment: Deployment) -> None:
    settings = deployment.planned().settings
    if settings.backup.policy != "required":
        return
    name = f"slipway-{deployment.deployment_id}"
    snapshot = watch.cloud.rds.taken(name)
    if snapshot is None or snapshot.status != "available":
        status = snapshot.status if snapshot else "missing"
        watch.report(5, f"{deployment.deployment_id} migrates while {name} is {status}")


def _check_database(watch: Watch, effect: Effect, deployment: Deployment) -> None:
    """One deployment, and one one-off task, changes a database at a time."""
    database = deployment.planned().settings.database
    slot = watch.slot(database.database_id) if database else None
    if slot is not None and slot.holder != deployment.deployment_id:
        watch.report(1, f"{deployment.deployment_id} changes {slot.holder}'s database")
    ours = effect.params["startedBy"]
    tasks = watch.cloud.engines.tasks
    others = {
        _started_by(watch, task.arn)
        for task in tasks.running()
        if task.service is None and not tasks.has_exited(task.task_id)
    }
    beside = [one for one in others - {ours, None} if _database_of(watch, one) == database]
    if beside and database is not None:
        watch.report(1, f"{ours} runs beside another one-off task")


def _database_of(watch: Watch, started_by: str | None) -> Database | None:
    """The database that a one-off task is about; its name ends with its deployment's."""
    found = watch.deployment((started_by or "").rpartition("/")[2])
    return found.planned().settings.database if found else None


def _started_by(watch: Watch, task_arn: str) -> str | None:
    task = watch.cloud.ecs._tasks.tasks.get(task_arn)
    return task.started_by if task else None
