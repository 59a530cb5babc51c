"""What a plan says: whether the schema may move, what changes, and a hash over all of it."""

from typing import Any

import pytest

from slipway.domain.catalog import Environment
from slipway.domain.lane import Stable
from slipway.domain.plan import Difference, Plan, differences, needs_migration
from slipway.domain.release import COMPATIBLE_LABEL, SCHEMA_LABEL, VERSION_LABEL, Image
from tests.builders.documents import NEW, OLD, OTHER, REGISTRY, START, environment, image, stable
from tests.builders.worlds import World


def planned(**world: Any) -> Plan:
    return World(**world).planned().deployment.planned()


@pytest.mark.parametrize(
    ("settings", "new", "old", "expected"),
    [
        (environment(migration=None), image(), stable(), False),
        (environment(), image(), stable(), True),
        (environment(), image(**{SCHEMA_LABEL: "0001"}), stable(), False),
        (environment(), image(**{SCHEMA_LABEL: ""}), stable(), True),
        (environment(), image(**{SCHEMA_LABEL: "0001"}), stable(schema_revision=None), True),
        (environment(), image(**{SCHEMA_LABEL: ""}), stable(schema_revision=None), True),
        (environment(), image(**{SCHEMA_LABEL: "0001"}), None, True),
    ],
    ids=[
        "no migration configured",
        "another schema",
        "the same schema",
        "the image does not say",
        "the last good release did not say",
        "neither says",
        "nothing was ever good here",
    ],
)
def test_nothing_is_pending_only_when_both_releases_name_the_same_schema(
    settings: Environment, new: Image, old: Stable | None, expected: bool
) -> None:
    assert needs_migration(settings, new, old) is expected


def test_the_differences_name_image_version_and_schema() -> None:
    live = World().service.live(environment().target)

    assert differences(image(), live, stable()) == (
        Difference(what="image", before=f"{REGISTRY}@{OLD}", after=f"{REGISTRY}@{NEW}"),
        Difference(what="version", before="1.0.0", after="2.0.0"),
        Difference(what="schema", before="0001", after="0002"),
    )


def test_what_stays_the_same_is_no_difference() -> None:
    live = World().service.live(environment().target)
    same = image(OLD, **{SCHEMA_LABEL: "0001", VERSION_LABEL: "1.0.0"})

    assert differences(same, live, stable()) == ()


def test_what_is_not_known_is_called_unknown() -> None:
    live = World().service.live(environment().target)
    silent = image(OLD, **{SCHEMA_LABEL: "", VERSION_LABEL: "1.0.0"})

    assert differences(silent, live, None) == (
        Difference(what="version", before="unknown", after="1.0.0"),
    )


def test_the_hash_survives_the_way_through_the_record() -> None:
    plan = planned()

    assert Plan.model_validate_json(plan.model_dump_json()).plan_hash == plan.plan_hash


@pytest.mark.parametrize(
    "changes",
    [
        {"image": image(OTHER)},
        {"settings": environment(strategy={"maximum_percent": 150})},
        {"rollback_target": None},
        {"needs_migration": False},
        {"planned_at": START.replace(minute=59)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_the_hash_changes_with_every_part_of_the_plan(changes: dict[str, Any]) -> None:
    plan = planned()

    assert plan.model_copy(update=changes).sealed().plan_hash != plan.plan_hash


@pytest.mark.parametrize(("declared", "expected"), [("", False), ("true", True), ("True", False)])
def test_a_release_is_backward_compatible_only_when_it_says_so(
    declared: str, expected: bool
) -> None:
    assert image(**{COMPATIBLE_LABEL: declared}).backward_compatible is expected


def test_an_image_is_deployed_by_its_digest() -> None:
    assert image().uri == f"{REGISTRY}@{NEW}"
