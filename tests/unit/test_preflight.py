"""What would be refused later is refused before anything changes, with what to do about it."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slipway.domain.catalog import BackupPolicy
from slipway.domain.database import RdsInstance
from slipway.domain.errors import Reason
from slipway.domain.plan import LiveService
from slipway.domain.preflight import (
    DatabaseCondition,
    DatabaseState,
    Revision,
    RevisionState,
    database_refusal,
    no_room,
    no_way_back,
    service_refusals,
)
from slipway.domain.strategy import BlueGreen, Rolling, Strategy
from tests.builders.documents import OLD, SERVICE_ARN, environment, image, stable
from tests.builders.worlds import World


def live(**changes: Any) -> LiveService:
    return World().service.live(environment().target).model_copy(update=changes)


def rolling(minimum: int = 100, maximum: int = 200) -> Rolling:
    return Rolling(minimum_healthy_percent=minimum, maximum_percent=maximum)


@pytest.mark.parametrize(
    ("changes", "strategy", "reason", "told"),
    [
        (
            {"desired_count": 0},
            rolling(),
            Reason.SERVICE_UNAVAILABLE,
            "has a desired count of 0, so nothing could be verified; raise the count first.",
        ),
        (
            {"strategy": "blue_green"},
            rolling(),
            Reason.SERVICE_UNAVAILABLE,
            "has the deployment strategy blue_green, and strategy.kind in the catalog says rolling",
        ),
        ({"strategy": "linear"}, rolling(), Reason.SERVICE_UNAVAILABLE, "strategy linear, and"),
        ({"strategy": "canary"}, rolling(), Reason.SERVICE_UNAVAILABLE, "strategy canary, and"),
        (
            {},
            BlueGreen(kind="blue_green"),
            Reason.SERVICE_UNAVAILABLE,
            "has the deployment strategy rolling, and strategy.kind in the catalog says "
            "blue_green; Slipway does not change a service's strategy. Set the service's strategy "
            "to blue_green",
        ),
        (
            {"strategy": "blue_green", "desired_count": 0},
            BlueGreen(kind="blue_green"),
            Reason.SERVICE_UNAVAILABLE,
            "has a desired count of 0",
        ),
        (
            {"scheduling": "daemon"},
            rolling(),
            Reason.CATALOG_INVALID,
            "is a DAEMON service, for which ECS allows no maximum above 100 %; the catalog says "
            "200 %. Set strategy.maximum_percent to 100 and strategy.minimum_healthy_percent to 0.",
        ),
        (
            {"zone_rebalancing": True},
            rolling(50, 100),
            Reason.CATALOG_INVALID,
            "has availability zone rebalancing enabled, for which ECS needs a maximum above 100 %",
        ),
        (
            {"desired_count": 3},
            rolling(80, 110),
            Reason.NO_ROOM_TO_ROLL,
            "has a desired count of 3. ECS rounds the minimum of 80 % up to 3 and the "
            "maximum of 110 % down "
            "to 3, so it can neither stop a task nor start one. Set strategy.maximum_percent to "
            "134 or more, or strategy.minimum_healthy_percent to 66 or less.",
        ),
    ],
)
def test_a_service_that_cannot_be_updated_so_is_refused(
    changes: dict[str, Any], strategy: Strategy, reason: Reason, told: str
) -> None:
    (refusal,) = service_refusals(live(**changes), strategy)

    assert refusal.reason is reason
    assert refusal.message.startswith(f"{SERVICE_ARN} ")
    assert told in refusal.message


@pytest.mark.parametrize(
    ("changes", "strategy"),
    [
        ({}, rolling()),
        ({"scheduling": "daemon"}, rolling(0, 100)),
        ({"strategy": "blue_green"}, BlueGreen(kind="blue_green")),
        ({"zone_rebalancing": True}, rolling(100, 150)),
        ({"zone_rebalancing": False}, rolling(50, 100)),
    ],
)
def test_a_service_that_can_be_updated_passes(changes: dict[str, Any], strategy: Strategy) -> None:
    assert list(service_refusals(live(**changes), strategy)) == []


def test_everything_that_is_wrong_is_told_at_once() -> None:
    wrong = live(strategy="canary", scheduling="daemon", desired_count=0)

    assert [one.reason for one in service_refusals(wrong, rolling())] == [
        Reason.SERVICE_UNAVAILABLE,
        Reason.SERVICE_UNAVAILABLE,
        Reason.CATALOG_INVALID,
    ]


@given(
    st.integers(min_value=1, max_value=60),
    st.integers(min_value=0, max_value=100),
    st.integers(min_value=101, max_value=400),
)
@example(1, 100, 150)
@example(3, 80, 110)
def test_there_is_room_exactly_when_ecs_can_start_a_task_or_stop_one(
    desired: int, minimum: int, maximum: int
) -> None:
    counts = range(desired * 5)
    may_run = [n for n in counts if n * 100 <= desired * maximum]
    must_run = [n for n in counts if n * 100 >= desired * minimum]
    can_start, can_stop = max(may_run) > desired, min(must_run) < desired

    refusal = no_room(live(desired_count=desired), rolling(minimum, maximum))

    assert (refusal is None) is (can_start or can_stop)


@given(st.integers(min_value=1, max_value=60))
def test_what_the_refusal_says_to_set_makes_room(desired: int) -> None:
    service = live(desired_count=desired)
    higher = -(-100 * (desired + 1) // desired)
    lower = 100 * (desired - 1) // desired

    assert no_room(service, rolling(100, higher)) is None
    assert no_room(service, rolling(lower, 101)) is None


NAME = "RDS instance 'notes-staging'"


def found(**changes: Any) -> DatabaseState:
    usual = {"name": NAME, "condition": DatabaseCondition.USABLE, "encrypted": True}
    return DatabaseState(**{**usual, **changes})


STUCK = {"condition": DatabaseCondition.STUCK, "status": "stopped", "remedy": "Start it (like so)"}


DATABASE = RdsInstance(identifier="notes-staging")


@pytest.mark.parametrize("policy", [BackupPolicy.REQUIRED, BackupPolicy.BEST_EFFORT])
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            STUCK,
            f"The {NAME} is stopped, so it can be neither backed up nor migrated. Start it (like "
            "so), then deploy again.",
        ),
        (
            {"replica_of": "notes-main"},
            "is a read replica of notes-main and cannot be migrated; set database.identifier to "
            "notes-main",
        ),
    ],
)
def test_a_database_that_cannot_be_migrated_is_refused(
    changes: dict[str, Any], told: str, policy: BackupPolicy
) -> None:
    refusal = database_refusal(DATABASE, found(**changes), policy)

    assert refusal is not None
    assert refusal.reason is Reason.DATABASE_UNAVAILABLE
    assert told in refusal.message


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"condition": DatabaseCondition.ABSENT},
            f"There is no {NAME}; correct database.identifier.",
        ),
        ({"encrypted": False}, "or set database.encrypted to false"),
        (
            {"cluster": "notes"},
            "is a member of the cluster notes, for which RDS takes no instance snapshot. Set "
            "database.kind to aurora_cluster and database.identifier to notes.",
        ),
    ],
)
def test_what_only_the_backup_needs_is_refused_where_the_backup_is_required(
    changes: dict[str, Any], told: str
) -> None:
    refusal = database_refusal(DATABASE, found(**changes), BackupPolicy.REQUIRED)

    assert refusal is not None
    assert told in refusal.message
    assert database_refusal(DATABASE, found(**changes), BackupPolicy.BEST_EFFORT) is None


@pytest.mark.parametrize("condition", [DatabaseCondition.USABLE, DatabaseCondition.PASSING])
def test_a_database_whose_state_passes_by_itself_goes_on(condition: DatabaseCondition) -> None:
    assert database_refusal(DATABASE, found(condition=condition), BackupPolicy.REQUIRED) is None


def test_a_database_need_not_be_encrypted_where_the_catalog_says_so() -> None:
    plain = RdsInstance(identifier="notes-staging", encrypted=False)

    assert database_refusal(plain, found(encrypted=False), BackupPolicy.REQUIRED) is None


@pytest.mark.parametrize(
    ("state", "changes", "why"),
    [
        (RevisionState.REGISTERED, {}, None),
        # It is registered again when it is needed.
        (RevisionState.DEREGISTERED, {}, None),
        (RevisionState.DELETED, {}, "was deleted"),
        (RevisionState.REGISTERED, {"service_arn": SERVICE_ARN}, None),
        (RevisionState.REGISTERED, {"service_arn": f"{SERVICE_ARN}-2"}, "ran in"),
    ],
)
def test_a_last_good_revision_is_a_way_back_unless_it_is_gone(
    state: RevisionState, changes: dict[str, Any], why: str | None
) -> None:
    last_good = stable(**changes)
    revision = Revision(arn=last_good.revision_arn, state=state)

    told = no_way_back(last_good, live(), revision, image(OLD), None)

    assert told is None if why is None else why in (told or "")
