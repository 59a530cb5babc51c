"""A plan keeps the hash that it had when it was made, whatever fields a later Slipway knows."""

import json
from pathlib import Path
from typing import Any

from slipway.domain.plan import Plan
from slipway.domain.seal import content_hash
from tests.builders.worlds import World, admitted

GOLDEN = json.loads((Path(__file__).parent / "golden" / "plan-0.1.0.json").read_text())


def read(document: dict[str, Any]) -> Plan:
    """A plan as it is read from the record; a newer Slipway may have written more."""
    return Plan.model_validate_json(json.dumps(document), extra="ignore")


def test_a_plan_of_0_1_0_keeps_its_hash() -> None:
    assert read(GOLDEN["plan"]).plan_hash == GOLDEN["plan_hash"]


def test_a_plan_of_0_1_0_keeps_its_hash_when_it_is_stored_again() -> None:
    again = read(json.loads(read(GOLDEN["plan"]).text))

    assert again.plan_hash == GOLDEN["plan_hash"]


def test_a_plan_that_was_changed_in_the_table_has_another_hash() -> None:
    changed = {**GOLDEN["plan"], "needs_migration": not GOLDEN["plan"]["needs_migration"]}

    assert read(changed).plan_hash != GOLDEN["plan_hash"]


def test_a_plan_is_stored_as_it_was_sealed() -> None:
    world = admitted(World())
    result = world.plan()
    stored = world.deployment.planned()

    assert content_hash(json.loads(stored.text)) == stored.plan_hash == result.plan_hash
    assert world.deployment.plan_hash == result.plan_hash


def test_a_field_that_another_slipway_knew_counts_and_one_that_it_did_not_know_does_not() -> None:
    world = admitted(World())
    world.plan()
    stored = json.loads(world.deployment.planned().text)
    later = {**stored, "reviewed_by": ["ada"]}
    earlier = {name: value for name, value in stored.items() if name != "schema_before"}

    assert read(later).plan_hash == content_hash(later)
    assert read(earlier).plan_hash == content_hash(earlier)
