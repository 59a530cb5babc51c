"""The rules of the catalog: which settings are accepted and what they mean."""

from typing import Any

import pytest
from pydantic import ValidationError

from slipway.domain.catalog import (
    Application,
    ApprovalPolicy,
    BackupPolicy,
    Catalog,
    Environment,
    Gates,
    Migration,
    Notifications,
    Push,
    ScanGate,
    Verification,
)
from slipway.domain.model import Model
from slipway.domain.strategy import Rolling
from slipway.domain.target import EcsTarget

PUSH = {"repository": "shop", "tags": ["v*"]}


def settings(cluster: str = "shop-staging", /, **changes: Any) -> dict[str, Any]:
    target = {"cluster": cluster, "service": "web", "container": "web"}
    return {"push": PUSH, "target": target, **changes}


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

    assert told == "environments.a.after leads back to itself"


def test_an_environment_cannot_follow_one_that_does_not_exist() -> None:
    told = refusal(staging=settings(), production=settings(after="stagin"))

    assert told == "environments.production.after: no 'stagin' (known: staging, production)"


def test_a_circle_is_told_at_one_of_its_members() -> None:
    told = refusal(a=settings(after="b"), b=settings(after="c"), c=settings(after="b"))

    assert told == "environments.b.after leads back to itself"


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


def test_a_downgrade_names_the_schema_that_it_goes_back_to() -> None:
    migration = {"command": ["up"], "downgrade": ["down", "-1"]}
    database = {"identifier": "shop"}

    told = refusal(staging=settings(migration=migration, database=database))

    assert told == "downgrade must contain {schema}, the schema to downgrade to"


@pytest.mark.parametrize("word", ["{schema}", "--to={schema}"])
def test_the_schema_may_stand_anywhere_in_a_downgrade(word: str) -> None:
    migration = Migration.model_validate({"command": ["up"], "downgrade": ["down", word]})

    assert migration.downgrade == ("down", word)


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (Push, {"repository": "shop", "tags": ["v*", ""]}),
        (Push, {"repository": "shop", "tags": [" "]}),
        (ApprovalPolicy, {"approvers": ["ada", ""]}),
        (ApprovalPolicy, {"approvers": ["\t"]}),
        (Migration, {"command": [""]}),
        (Migration, {"command": ["up"], "downgrade": ["down", "{schema}", ""]}),
        (Gates, {"alarms": [""]}),
        (Verification, {"alarms": ["5xx", ""]}),
        (Notifications, {"slack_channel": ""}),
    ],
)
def test_text_that_says_nothing_is_refused(model: type[Model], fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"string_(pattern_mismatch|too_short)"):
        model.model_validate(fields)


def test_an_argument_of_blanks_is_accepted() -> None:
    assert Migration.model_validate({"command": ["join", " "]}).command == ("join", " ")


def test_a_severity_that_is_not_ranked_is_no_threshold() -> None:
    with pytest.raises(ValidationError, match="'INFORMATIONAL', 'LOW', 'MEDIUM', 'HIGH' or"):
        ScanGate.model_validate({"block_from": "UNDEFINED"})


@pytest.mark.parametrize("field", ["cluster", "service", "container"])
@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("a", True),
        ("Shop_API-2", True),
        ("-_-", True),
        ("a" * 255, True),
        ("a" * 256, False),
        ("", False),
        ("shop/web", False),
        ("shop.web", False),
        ("shop web", False),
        ("wéb", False),
        ("web\n", False),
        ("arn:aws:ecs:us-east-1:123456789012:cluster/shop", False),
    ],
)
def test_ecs_names_are_as_ecs_documents_them(field: str, name: str, good: bool) -> None:
    fields = {"cluster": "shop", "service": "web", "container": "web", field: name}

    if good:
        assert getattr(EcsTarget.model_validate(fields), field) == name
    else:
        with pytest.raises(ValidationError):
            EcsTarget.model_validate(fields)


@pytest.mark.parametrize(
    "name", ["ab", "2shop", "shop/web", "team/shop/web", "a.b", "a_b", "a__b", "a--b", "a" * 256]
)
def test_a_repositorys_name_is_as_ecr_documents_it(name: str) -> None:
    assert Push(repository=name, tags=("v*",)).repository == name


@pytest.mark.parametrize(
    "name",
    [
        *("", "a", "a" * 257, "Shop", "-shop", "shop-", "shop/", "/shop", "shop:v1", "shop\n"),
        *("a//b", "a..b", "a___b", "a._b", "a b"),
    ],
)
def test_other_repositories_are_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        Push(repository=name, tags=("v*",))


def test_an_environment_that_follows_another_needs_no_push() -> None:
    production = settings("shop-production", after="staging", push=None)
    last = settings("shop-last", after="production")
    del last["push"]
    shop = application(staging=settings(), production=production, last=last)
    catalog = Catalog(applications={"shop": shop})

    assert [environment.fed_by for _, _, environment in catalog.environments()] == [
        Push(repository="shop", tags=("v*",)),
        None,
        None,
    ]
    assert [shop.repository(name) for name in shop.environments] == ["shop"] * 3
    assert catalog.repository("shop", "last") == "shop"
    assert catalog.fed_by_push("shop", "v1") == [("shop", "staging")]


def test_an_environment_that_follows_nothing_needs_a_push() -> None:
    told = refusal(staging=settings(push=None))

    assert told == "push is required unless 'after' names the environment before"


def test_an_environment_with_a_push_runs_the_images_of_that_repository() -> None:
    own = {"repository": "shop-production", "tags": ["v*"]}
    shop = application(staging=settings(), production=settings(after="staging", push=own))

    assert shop.repository("staging") == "shop"
    assert shop.repository("production") == "shop-production"


def test_the_repository_of_an_unknown_environment_is_unknown() -> None:
    catalog = Catalog(applications={"shop": application(staging=settings())})

    assert catalog.repository("shop", "production") is None
    assert catalog.repository("api", "staging") is None


def test_two_environments_of_one_application_cannot_have_the_same_service() -> None:
    shop = application(staging=settings(), eu=settings())

    with pytest.raises(ValidationError) as caught:
        Catalog(applications={"shop": shop})

    (error,) = caught.value.errors()
    assert error["msg"] == (
        "Value error, applications.shop.environments.eu.target: "
        "service 'web' in cluster 'shop-staging' is shop/staging's already"
    )


def test_environments_of_two_applications_cannot_have_the_same_service() -> None:
    shop, copy = application(staging=settings()), application("copy", eu=settings())

    with pytest.raises(ValidationError) as caught:
        Catalog(applications={"shop": shop, "copy": copy})

    (error,) = caught.value.errors()
    assert error["msg"] == (
        "Value error, applications.copy.environments.eu.target: "
        "service 'web' in cluster 'shop-staging' is shop/staging's already"
    )


def test_services_of_one_name_in_two_clusters_are_two() -> None:
    shop = application(staging=settings(), production=settings("shop-production"))

    assert list(Catalog(applications={"shop": shop}).environments()) == [
        ("shop", "staging", shop.environments["staging"]),
        ("shop", "production", shop.environments["production"]),
    ]


def test_two_environments_may_share_a_database() -> None:
    database = {"identifier": "shop"}
    shop = application(staging=settings(database=database), eu=settings("eu", database=database))

    catalog = Catalog(applications={"shop": shop})

    owners = [environment.database for _, _, environment in catalog.environments()]
    assert [owner.database_id for owner in owners if owner] == ["rds:shop", "rds:shop"]


def test_an_entry_is_kept_under_its_own_name() -> None:
    with pytest.raises(ValidationError) as caught:
        Catalog(applications={"api": application(staging=settings())})

    (error,) = caught.value.errors()
    assert error["msg"] == ("Value error, applications.api.application: expected 'api', got 'shop'")


def test_an_editor_asks_for_a_push_where_nothing_comes_before() -> None:
    environment = Environment.model_json_schema()

    assert environment["required"] == ["target"]
    assert environment["if"] == {"properties": {"after": {"type": "null"}}}
    assert environment["then"] == {
        "required": ["push"],
        "properties": {"push": {"type": "object"}},
    }


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

    assert push.matches(repository, tag) is meant


def test_a_push_starts_the_first_environments_and_no_promotion() -> None:
    shop = application(
        staging=settings(),
        sandbox=settings("sandbox", push={"repository": "shop", "tags": ["*"]}),
        production=settings("production", after="staging"),
    )
    copy = application("copy", staging=settings("copy"))
    catalog = Catalog(applications={"shop": shop, "copy": copy})

    assert catalog.fed_by_push("shop", "v1") == [
        ("shop", "staging"),
        ("shop", "sandbox"),
        ("copy", "staging"),
    ]
    assert catalog.fed_by_push("shop", "nightly") == [("shop", "sandbox")]
    assert catalog.fed_by_push("unknown", "v1") == []


def test_an_environment_is_found_by_application_and_name() -> None:
    catalog = Catalog(applications={"shop": application(staging=settings())})

    assert catalog.environment("shop", "staging") == Environment.model_validate(settings())
    assert catalog.environment("shop", "production") is None
    assert catalog.environment("shopp", "staging") is None


def test_two_lanes_whose_deployments_would_share_their_ids_are_refused() -> None:
    shop = {"application": "shop", "environments": {"api-staging": settings("one")}}
    api = {"application": "shop-api", "environments": {"staging": settings("two")}}

    with pytest.raises(ValidationError) as refused:
        Catalog.model_validate({"applications": {"shop": shop, "shop-api": api}})

    assert [error["msg"] for error in refused.value.errors()] == [
        "Value error, applications.shop-api.environments.staging: its deployments would have the "
        "ids of shop/api-staging's (shop-api-staging-1, ...); rename one of them"
    ]


def test_environments_come_in_the_order_in_which_a_release_passes_them() -> None:
    environments = {
        "production": settings("three", after="staging"),
        "staging": settings("two", after="dev"),
        "dev": settings("one"),
    }
    entry = Application.model_validate({"application": "shop", "environments": environments})

    assert entry.in_order() == ["dev", "staging", "production"]
