"""The rules of the catalog: which settings are accepted and what they mean."""

from typing import Any

import pytest
from pydantic import ValidationError

from slipway.domain.catalog import Application, BackupPolicy, Catalog, Environment, Push, Rolling

PUSH = {"repository": "shop", "tags": ["v*"]}
TARGET = {"cluster": "shop-staging", "service": "web", "container": "web"}


def settings(**changes: Any) -> dict[str, Any]:
    return {"push": PUSH, "target": TARGET, **changes}


def application(name: str = "shop", /, **environments: dict[str, Any]) -> Application:
    return Application.model_validate({"application": name, "environments": environments})


def refusal(**environments: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        application(**environments)
    (error,) = caught.value.errors()
    return error["msg"].removeprefix("Value error, ")


def test_an_environment_may_follow_another() -> None:
    shop = application(
        staging=settings(), eu=settings(after="staging"), us=settings(after="staging")
    )

    assert shop.followers("staging") == ["eu", "us"]
    assert shop.followers("eu") == []


def test_an_environment_cannot_follow_itself() -> None:
    told = refusal(staging=settings(after="staging"))

    assert told == "environments.staging.after leads back to itself"


def test_environments_cannot_follow_each_other_in_a_circle() -> None:
    told = refusal(
        a=settings(after="c"), b=settings(after="a"), c=settings(after="b"), d=settings()
    )

    assert told == "environments.a.after leads back to itself"


def test_a_circle_that_is_entered_from_outside_is_refused() -> None:
    told = refusal(first=settings(after="a"), a=settings(after="b"), b=settings(after="a"))

    assert told.endswith(" leads back to itself")


def test_an_environment_cannot_follow_one_that_does_not_exist() -> None:
    told = refusal(staging=settings(), production=settings(after="stagin"))

    assert told == "environments.production.after: no 'stagin' (known: staging, production)"


def test_an_application_needs_an_environment() -> None:
    with pytest.raises(ValidationError, match="at least 1 item"):
        application()


@pytest.mark.parametrize("name", ["a", "shop", "shop2", "a-1-b", "a" * 24])
def test_a_name_that_fits_an_execution_and_a_snapshot_is_accepted(name: str) -> None:
    assert application(name, staging=settings()).application == name


@pytest.mark.parametrize(
    "name", ["", "a" * 25, "Shop", "2shop", "-shop", "shop-", "shop--api", "shop_api", "shop\n"]
)
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        application(name, staging=settings())
    with pytest.raises(ValidationError):
        application("shop", **{name: settings()})


def test_the_longest_names_leave_room_for_the_number_in_an_executions_name() -> None:
    # Step Functions allows 80 characters.
    assert len("a" * 24 + "-" + "b" * 24 + "-") <= 80 - 10


def test_a_rollout_that_may_neither_stop_nor_start_a_task_is_refused() -> None:
    strategy = {"minimum_healthy_percent": 100, "maximum_percent": 100}

    told = refusal(staging=settings(strategy=strategy))

    assert told == "minimum_healthy_percent must be below maximum_percent"


@pytest.mark.parametrize(("least", "most"), [(0, 100), (99, 100), (100, 101), (100, 400)])
def test_a_rollout_with_room_to_move_is_accepted(least: int, most: int) -> None:
    strategy = Rolling(minimum_healthy_percent=least, maximum_percent=most)

    assert (strategy.minimum_healthy_percent, strategy.maximum_percent) == (least, most)


def test_a_migration_whose_backup_is_required_needs_a_database() -> None:
    told = refusal(staging=settings(migration={"command": ["alembic", "upgrade", "head"]}))

    assert told == "migration with backup.policy 'required' needs a database"


@pytest.mark.parametrize("policy", ["best_effort", "off"])
def test_a_migration_whose_backup_may_be_missing_needs_no_database(policy: str) -> None:
    migration = {"command": ["alembic", "upgrade", "head"]}

    environment = Environment.model_validate(
        settings(migration=migration, backup={"policy": policy})
    )

    assert environment.backup.policy is BackupPolicy(policy)


def test_the_defaults_are_the_careful_choice() -> None:
    environment = Environment.model_validate(settings())

    assert environment.model_dump(mode="json", exclude={"push", "target"}) == {
        "after": None,
        "approval": None,
        "gates": {"scan": {"block_from": "HIGH", "wait_minutes": 10}, "alarms": []},
        "database": None,
        "backup": {"policy": "required", "timeout_minutes": 60},
        "migration": None,
        "strategy": {
            "kind": "rolling",
            "minimum_healthy_percent": 100,
            "maximum_percent": 200,
            "circuit_breaker": {"failures": None},
            "timeout_minutes": 30,
        },
        "verification": {
            "base_url": None,
            "checks": [],
            "alarms": [],
            "attempts": 3,
            "interval_seconds": 10,
            "bake_seconds": 0,
        },
        "notifications": {"slack_channel": None},
    }


def test_a_field_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        application(staging=settings(afterwards="staging"))


@pytest.mark.parametrize(
    ("repository", "tag", "meant"),
    [
        ("shop", "v1", True),
        ("shop", "release-7", True),
        ("shop", "latest", False),
        ("shop", "V1", False),
        ("shop", "", False),
        ("shop/v", "v1", False),
        ("other", "v1", False),
    ],
)
def test_a_push_is_meant_by_repository_and_tag(repository: str, tag: str, meant: bool) -> None:
    push = Push(repository="shop", tags=("v*", "release-[0-9]"))

    assert push.means(repository, tag) is meant


def test_a_push_starts_the_first_environments_and_no_promotion() -> None:
    shop = application(
        staging=settings(),
        sandbox=settings(push={"repository": "shop", "tags": ["*"]}),
        production=settings(after="staging"),
    )
    copy = application("copy", staging=settings())
    catalog = Catalog(applications={"shop": shop, "copy": copy})

    assert catalog.meant("shop", "v1") == [
        ("shop", "staging"),
        ("shop", "sandbox"),
        ("copy", "staging"),
    ]
    assert catalog.meant("shop", "nightly") == [("shop", "sandbox")]
    assert catalog.meant("unknown", "v1") == []


def test_an_environment_is_found_by_application_and_name() -> None:
    catalog = Catalog(applications={"shop": application(staging=settings())})

    assert catalog.environment("shop", "staging") == Environment.model_validate(settings())
    assert catalog.environment("shop", "production") is None
    assert catalog.environment("shopp", "staging") is None
