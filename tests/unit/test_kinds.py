"""Unions by kind: what says no kind is what there was before there were kinds."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from slipway.domain.catalog import Environment
from slipway.domain.database import AuroraCluster, Database, RdsInstance
from slipway.domain.guidance import manner
from slipway.domain.strategy import BlueGreen, Rolling, Strategy
from slipway.domain.target import DeployTarget, EcsTarget
from slipway.steps.backup import snapshot_id

TARGET = {"cluster": "shop", "service": "web", "container": "web"}
PUSH = {"repository": "shop", "tags": ["v*"]}


@pytest.mark.parametrize(
    ("union", "stored", "read"),
    [
        (DeployTarget, TARGET, EcsTarget(cluster="shop", service="web", container="web")),
        (Database, {"identifier": "shop"}, RdsInstance(identifier="shop")),
        (
            Database,
            {"kind": "aurora_cluster", "identifier": "shop"},
            AuroraCluster(kind="aurora_cluster", identifier="shop"),
        ),
        (Strategy, {}, Rolling()),
        (Strategy, {"kind": "blue_green"}, BlueGreen(kind="blue_green")),
    ],
)
def test_what_says_no_kind_is_of_the_first_one(union: Any, stored: object, read: object) -> None:
    assert TypeAdapter(union).validate_python(stored) == read
    assert TypeAdapter(union).validate_python(read) is read


@pytest.mark.parametrize("union", [DeployTarget, Database, Strategy])
def test_a_kind_that_nobody_knows_is_refused(union: Any) -> None:
    with pytest.raises(ValidationError, match="does not match any of the expected tags"):
        TypeAdapter(union).validate_python({"kind": "another"})


def test_an_environment_is_stored_with_the_kinds_of_its_parts() -> None:
    environment = Environment.model_validate(
        {"push": PUSH, "target": TARGET, "database": {"identifier": "shop"}}
    )
    stored = environment.model_dump(mode="json")

    kinds = [stored[part]["kind"] for part in ("target", "database", "strategy")]
    assert kinds == ["ecs", "rds_instance", "rolling"]
    assert Environment.model_validate_json(environment.model_dump_json()) == environment


def test_databases_of_different_kinds_never_exclude_each_other_by_chance() -> None:
    instance = RdsInstance(identifier="shop")
    cluster = AuroraCluster(kind="aurora_cluster", identifier="shop")

    assert (instance.database_id, cluster.database_id) == ("rds:shop", "aurora:shop")


def test_a_blue_green_rollout_may_take_longer_than_it_bakes() -> None:
    with pytest.raises(ValidationError, match="bake_minutes must be below timeout_minutes"):
        BlueGreen(kind="blue_green", bake_minutes=60, timeout_minutes=60)


@pytest.mark.parametrize(
    ("strategy", "told"),
    [
        (
            Rolling(minimum_healthy_percent=50),
            "Rolling: between 50 % and 200 % of the desired tasks keep running; the circuit "
            "breaker is on.",
        ),
        (
            BlueGreen(kind="blue_green", bake_minutes=10),
            "Blue/green: all new tasks start beside the old ones, then traffic shifts; the old "
            "ones stay for 10 more minutes.",
        ),
    ],
)
def test_how_tasks_are_replaced_is_told_by_kind(strategy: Strategy, told: str) -> None:
    assert manner(strategy) == told


def test_the_longest_deployments_snapshot_fits_the_narrowest_kind() -> None:
    """CreateDBClusterSnapshot takes 63 characters; a deployment's name is 24 + 24 and a number."""
    longest = snapshot_id(f"{'a' * 24}-{'b' * 24}-99999")

    assert len(longest) == 63
