"""A function's process dies right after a side effect: the deployment still ends right.

The process is killed when the call had its effect and before the answer has left, so that it can
have remembered nothing of it. `SLIPWAY_CRASHES=all` kills after every side effect of a success.
"""

import os
from collections.abc import Callable
from typing import Any, Final

import pytest
import requests

from demo.approver import approval_link
from slipway.domain.deployment import Deployment, Phase
from slipway.domain.outcome import Outcome
from slipway.domain.progress import SchemaWork
from slipway.steps.schema_task import migration_started_by
from tests.e2e.functions import name_of, swept, verbs
from tests.e2e.lanes import APPROVER, KILLED, KILLED_MIGRATING
from tests.e2e.stage import Lane, eventually

Build = Callable[[str], Lane]
Point = tuple[str, str, int]  # the function's verb, the operation, and which of its calls

EVERYWHERE: Final = os.environ.get("SLIPWAY_CRASHES") == "all"
TWIN_OPERATIONS: Final = frozenset(
    {"CreateDBSnapshot", "RegisterTaskDefinition", "RunTask", "UpdateService"}
)
READING: Final = ("BatchGet", "Describe", "Get", "List", "Query")


def _points(verb: str, **calls: int) -> list[Point]:
    return [(verb, name, nth) for name, count in calls.items() for nth in range(1, count + 1)]


_WAITING: Final = {"BatchWriteItem": 1, "SendTaskSuccess": 1}
# Every side effect of a success without a migration, and how often each happens at least.
ALL: Final[list[Point]] = [
    *_points("admit", TransactWriteItems=1, StartExecution=1),
    *_points("plan", TransactWriteItems=1),
    *_points("check", BatchWriteItem=2, TransactWriteItems=2, SendTaskSuccess=2),
    *_points("enter", **_WAITING, TransactWriteItems=1),
    *_points("deploy", **_WAITING, TransactWriteItems=5, RegisterTaskDefinition=1, UpdateService=1),
    *_points("verify", **_WAITING, TransactWriteItems=1),
    *_points("settle", TransactWriteItems=1, PutEvents=1),
    *_points("notify", TransactWriteItems=4),
]
# What comes on top when there is something to migrate.
ALL_MIGRATING: Final[list[Point]] = [
    *_points("backup", **_WAITING, TransactWriteItems=3, CreateDBSnapshot=1),
    *_points("migrate", **_WAITING, TransactWriteItems=5, RegisterTaskDefinition=1, RunTask=1),
]
# Those that are played in every run.
WORST: Final = {
    ("admit", "TransactWriteItems", 1),
    ("admit", "StartExecution", 1),
    ("enter", "TransactWriteItems", 1),
    ("backup", "CreateDBSnapshot", 1),
    ("migrate", "RegisterTaskDefinition", 1),
    ("migrate", "RunTask", 1),
    ("deploy", "UpdateService", 1),
    ("verify", "TransactWriteItems", 1),
    ("settle", "TransactWriteItems", 1),
}
PLAYED: Final = [
    (application, point)
    for lanes, points in ((KILLED, ALL), (KILLED_MIGRATING, ALL_MIGRATING))
    for application, point in zip(lanes, points, strict=False)
    if EVERYWHERE or point in WORST
]


def _kill_after(lane: Lane, point: Point) -> Callable[[], bool]:
    """Set the kill point for the lane; the answer tells whether it has struck."""
    verb, operation, nth = point
    crash = {
        "caller": name_of(lane.cloud, verb),
        "operation": operation,
        "containing": lane.cluster,
        "nth": nth,
    }
    if operation in TWIN_OPERATIONS:
        lane.cloud.twin.ask("/_twin/crashes", crash)
    else:
        lane.cloud.ministack.crash(**crash)
    return lambda: any(row["killed"] for row in _rows(lane) if {k: row[k] for k in crash} == crash)


def _rows(lane: Lane) -> list[dict[str, Any]]:
    return [*lane.cloud.ministack.crashes(), *lane.cloud.twin.ask("/_twin/crashes")]


def _played(application: str, point: Point) -> Any:
    """A call that was never answered may be on its way for a minute, so those begin first."""
    marks = (pytest.mark.long,) if point[1] in TWIN_OPERATIONS else ()
    return pytest.param(application, point, id="-".join(map(str, point)), marks=marks)


@pytest.mark.parametrize(("application", "point"), [_played(*played) for played in PLAYED])
def test_a_deployment_outlives_the_death_of_a_function(
    lane: Build, application: str, point: Point
) -> None:
    killed = lane(application)
    has_struck = _kill_after(killed, point)

    ended = killed.deployed("v1")

    assert eventually(has_struck, f"the kill point {point}")
    _happened_once(killed, ended)
    _is_left_in_order(killed, ended)
    if point[0] == "notify":
        # A message on its way may be lost: a webhook cannot be asked what it has told.
        assert len(killed.headlines(ended)) == len(set(killed.headlines(ended)))
    else:
        assert killed.told(ended) == ["deployment started", "live and verified"]


def _happened_once(lane: Lane, deployment: Deployment) -> None:
    """One deployment, one revision, one rollout; one snapshot and one migration if any."""
    revision, progress = lane.revision_of(deployment), deployment.progress
    snapshots = [backup.handle for backup in progress.backups.values()]
    migration = progress.schema_tasks.get(SchemaWork.UP)
    assert [each.deployment_id for each in lane.all()] == [deployment.deployment_id]
    assert len(_revisions(lane)) == 2, "the one that was there and the release's"
    assert lane.rollouts_of(revision) == 1
    assert _snapshots(lane) == snapshots
    assert _migrations(lane, deployment) == ([migration.handle] if migration else [])


def _revisions(lane: Lane) -> list[str]:
    ecs = lane.cloud.client("ecs")
    found: list[str] = ecs.list_task_definitions(familyPrefix=lane.cluster)["taskDefinitionArns"]
    return found


def _snapshots(lane: Lane) -> list[str]:
    rds = lane.cloud.client("rds")
    found = rds.describe_db_snapshots(DBInstanceIdentifier=lane.application)["DBSnapshots"]
    return [each["DBSnapshotIdentifier"] for each in found]


def _migrations(lane: Lane, deployment: Deployment) -> list[str]:
    tasks: list[str] = lane.cloud.client("ecs").list_tasks(
        cluster=lane.cluster,
        startedBy=migration_started_by(deployment.deployment_id),
        desiredStatus="STOPPED",
    )["taskArns"]
    return tasks


def _is_left_in_order(lane: Lane, deployment: Deployment) -> None:
    """Record and world agree, and the lane is free."""
    state = lane.state()
    assert state.stable is not None
    assert (state.holder, state.hold, state.stable.deployment_id) == (
        None,
        None,
        deployment.deployment_id,
    )
    assert lane.live_revision() == lane.revision_of(deployment)
    assert lane.serves() == "1"
    assert lane.execution(deployment)["status"] == "SUCCEEDED"
    assert lane.noted(deployment).count("settled") == 1


def test_every_side_effect_of_a_success_has_its_kill_point(lane: Build) -> None:
    looked_at = lane("side-effects")
    looked_at.told(looked_at.deployed("v1"))

    calls = [*looked_at.cloud.ministack.calls(), *looked_at.cloud.twin.ask("/_twin/calls")]
    names = {name_of(looked_at.cloud, verb): verb for verb in verbs(looked_at.cloud)}
    covered = {(verb, operation) for verb, operation, _ in (*ALL, *ALL_MIGRATING)}
    seen = {
        (names[call["caller"]], call["operation"])
        for call in calls
        if call["caller"] in names and not call["operation"].startswith(READING)
    }
    verbs_of_a_success = {verb for verb, _ in covered}
    assert {each for each in seen - covered if each[0] in verbs_of_a_success} <= FAILING


# What these functions do only when a deployment does not succeed.
FAILING: Final = {
    (verb, "SendTaskFailure")
    for verb in ("check", "enter", "backup", "migrate", "deploy", "verify")
} | {("enter", "PutEvents"), ("admit", "PutEvents")}


@pytest.mark.long
def test_a_rollback_outlives_the_death_of_its_function(lane: Build) -> None:
    taken_back = lane("rolling-back")
    good = taken_back.deployed("v2")
    has_struck = _kill_after(taken_back, ("rollback", "UpdateService", 1))

    bad = taken_back.ended(taken_back.push("v3"))

    assert eventually(has_struck, "the kill point")
    assert bad.outcome is Outcome.ROLLED_BACK
    assert taken_back.live_revision() == taken_back.revision_of(good)
    assert taken_back.rollouts_of(taken_back.revision_of(good)) == 2
    assert taken_back.serves() == "2"


@pytest.mark.long
def test_a_decision_is_carried_out_although_its_page_died(lane: Build) -> None:
    decided = lane("decided")
    asked = decided.reached(decided.push("v1"), Phase.AWAITING_APPROVAL)
    link = approval_link(decided.cloud, asked.deployment_id)
    has_struck = _kill_after(decided, ("web", "TransactWriteItems", 1))

    sent = _approve(link)

    assert (has_struck(), sent.status_code >= 500) == (True, True)
    # Nobody was notified of the decision, so that only the sweep can find it.
    eventually(lambda: _went_on(decided, asked), "the sweep to wake the approval")
    assert decided.settled(asked.deployment_id).outcome is Outcome.SUCCEEDED


def _approve(link: str) -> requests.Response:
    form = {"by": APPROVER, "answer": "approve", "comment": "", "sig": link.partition("sig=")[2]}
    return requests.post(link, data=form, timeout=60)


def _went_on(lane: Lane, deployment: Deployment) -> bool:
    swept(lane.cloud)
    found = lane.records.deployment(deployment.deployment_id)
    return found.phase is not Phase.AWAITING_APPROVAL
