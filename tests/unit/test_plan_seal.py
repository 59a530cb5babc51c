"""A plan keeps the hash that it had when it was made, whatever fields a later Slipway knows."""

import hashlib
import json
from pathlib import Path

from slipway.domain.plan import SEAL_FORMAT, Plan
from tests.unit.worlds import World

# What a plan held, by format: its models and their fields, as a hash.
FIELDS = {
    1: "99681f24fe1347b17974a162838c2adb765bac3c4d512be3165a3c94cb69de82",
    2: "e2626cd36163d0b5546b8c7ae149a7205255181e340ece09aa9ce796c0dc3060",
    3: "e32f25661ba90af2a70fac27f4c3ea6b0a831920f46c290b53b4b317a2753f38",
}
GOLDEN = json.loads((Path(__file__).parent / "golden" / "plan-0.1.0.json").read_text())


def test_a_plan_of_0_1_0_keeps_its_hash() -> None:
    plan = Plan.model_validate_json(json.dumps(GOLDEN["plan"]))

    assert plan.plan_hash == GOLDEN["plan_hash"]


def test_a_plan_of_0_1_0_keeps_its_hash_when_it_is_stored_again() -> None:
    plan = Plan.model_validate_json(json.dumps(GOLDEN["plan"]))

    assert Plan.model_validate_json(plan.model_dump_json()).plan_hash == GOLDEN["plan_hash"]


def test_a_plan_that_was_changed_in_the_table_after_0_1_0_has_another_hash() -> None:
    changed = {**GOLDEN["plan"], "needs_migration": not GOLDEN["plan"]["needs_migration"]}

    assert Plan.model_validate_json(json.dumps(changed)).plan_hash != GOLDEN["plan_hash"]


def test_a_plan_is_stored_with_its_seal() -> None:
    world = World()
    world.admit()
    result = world.plan()
    stored = world.deployment.planned()

    assert stored.seal == stored.plan_hash == result.plan_hash


def test_a_plan_whose_fields_another_slipway_knew_is_taken_by_its_seal() -> None:
    world = World()
    world.admit()
    world.plan()
    later = world.deployment.planned().model_copy(
        update={"seal_format": SEAL_FORMAT + 1, "seal": "as it was made"}
    )

    assert Plan.model_validate_json(later.model_dump_json()).plan_hash == "as it was made"


def test_the_format_number_grows_with_the_fields() -> None:
    """When this fails: give SEAL_FORMAT the next number and note the fields' hash here."""
    schema = Plan.model_json_schema()
    models = {"Plan": schema, **schema["$defs"]}
    fields = {name: sorted(model.get("properties", ())) for name, model in models.items()}
    known = hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()

    assert known == FIELDS[SEAL_FORMAT]
