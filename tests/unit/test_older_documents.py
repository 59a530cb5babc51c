"""What Slipway 0.1.0 stored is read, verified and gone on with.

The documents in golden/0.1.0.json were written by Slipway 0.1.0 itself, playing the story of
tests/builders/worlds.py up to the moment that each is named for.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slipway.domain.approval import Answer
from slipway.domain.effect import Effect
from slipway.domain.evidence import Evidence, chain_errors
from slipway.domain.outcome import Outcome
from slipway.domain.progress import SchemaWork, ServiceProgress
from slipway.steps.step import Caught
from tests.builders.documents import START, environment
from tests.builders.worlds import World, admitted

GOLDEN = json.loads((Path(__file__).parent / "golden" / "0.1.0.json").read_text())
ID = "notes-staging-1"


def with_approval() -> World:
    return admitted(World(environment(approval={"approvers": ["ada"]})))


def asked_for_approval() -> World:
    world = with_approval()
    world.plan()
    assert world.check().done
    world.approve()
    return world


def backing_up() -> World:
    world = World().entered()
    world.backup()
    return world


def migrating() -> World:
    world = World().backed_up()
    world.migrate()
    return world


def deploying() -> World:
    world = World().migrated()
    world.deploy()
    return world


def rolling_back() -> World:
    world = World().deployed()
    world.rollback()
    return world


# The same story played today: the cloud is as 0.1.0 left it, the record is what 0.1.0 wrote.
STORIES: dict[str, Callable[[], World]] = {
    "awaiting approval": asked_for_approval,
    "backing up": backing_up,
    "migrating": migrating,
    "deploying": deploying,
    "verifying": lambda: World().deployed(),
    "rolling back": rolling_back,
}


def upgraded(name: str) -> World:
    """The world at this moment of the story, with 0.1.0's record of it."""
    world = STORIES[name]()
    world.records._stored.clear()
    for kind, documents in GOLDEN[name].items():
        for key, document in documents.items():
            world.records._stored[kind, key] = json.dumps(document)
    return world


def finish(world: World) -> Outcome:
    """Go on from whatever the record says, until the release is live and verified."""
    for _ in range(4):
        world.everything_ends_well()
        world.backup()
        world.everything_ends_well()
        world.migrate()
        world.everything_ends_well()
        world.deploy()
    assert world.verify().done
    return world.settle().outcome


@pytest.mark.parametrize("name", STORIES)
def test_a_chain_of_0_1_0_is_whole(name: str) -> None:
    world = upgraded(name)

    assert len(world.evidence) > 1
    assert chain_errors(world.deployment, world.evidence) == []


@pytest.mark.parametrize("name", STORIES)
def test_an_entry_of_0_1_0_that_was_changed_shows(name: str) -> None:
    entries = [dict(one) for one in GOLDEN[name]["evidence"].values()]
    entries.sort(key=lambda entry: entry["number"])
    entries[0]["message"] = "nothing happened"
    changed = [Evidence.model_validate_json(json.dumps(entry)) for entry in entries]

    assert "entry 1 was changed after it was written" in chain_errors(
        upgraded(name).deployment, changed
    )


def test_an_approval_that_0_1_0_asked_for_can_be_given() -> None:
    world = upgraded("awaiting approval")
    asked = GOLDEN["awaiting approval"]["approval"][ID]

    world.decide(Answer.APPROVE)

    assert world.deployment.plan_hash == asked["plan_hash"]
    assert world.approve().done
    assert world.enter().done
    assert world.check().done
    assert finish(world) is Outcome.SUCCEEDED
    assert world.chain_errors() == []


@pytest.mark.parametrize("name", ["backing up", "migrating", "deploying", "verifying"])
def test_a_deployment_that_0_1_0_began_goes_on_without_doing_anything_twice(name: str) -> None:
    world = upgraded(name)

    assert finish(world) is Outcome.SUCCEEDED

    assert len(world.databases.snapshots) == 1
    assert len(world.one_offs.tasks) == 1
    assert len(world.revisions.registered) == 1
    assert len(world.service.updates) == 1
    assert world.chain_errors() == []
    assert world.lane.stable is not None and world.lane.stable.deployment_id == ID


def test_a_rollback_that_0_1_0_began_ends_with_the_last_good_release() -> None:
    world = upgraded("rolling back")
    world.task_ends("downgrade")
    world.rollback()
    world.service.complete()
    assert world.rollback().done
    world.answer_as("1.0.0")
    assert world.verify("rollback").done
    cause = Caught(state="Verify", error="Unhealthy", cause="ReleaseUnhealthy: 500")

    assert world.settle(cause=cause).outcome is Outcome.ROLLED_BACK
    assert world.chain_errors() == []


def test_the_plan_becomes_an_item_of_its_own_with_the_next_write() -> None:
    world = upgraded("verifying")
    assert world.records.plan(ID) is None

    assert world.verify().done

    stored = json.loads(world.records._stored["deployment", ID])
    plan = world.records.plan(ID)
    assert plan is not None and plan.plan_hash == stored["plan_hash"]
    assert "plan" not in stored


def test_every_fact_of_0_1_0_has_its_place() -> None:
    deployment = upgraded("verifying").deployment
    flat: dict[str, Any] = GOLDEN["verifying"]["deployment"][ID]["progress"]

    progress = deployment.progress
    assert progress.backups == {
        "rds:notes-staging": Effect(
            requested_at=START, handle=f"slipway-{ID}", ended_at=START, succeeded=True
        )
    }
    assert progress.schema_tasks == {
        SchemaWork.UP: Effect(
            requested_at=START, handle=flat["migration_task_arn"], ended_at=START, succeeded=True
        )
    }
    assert deployment.service == ServiceProgress(
        revision=Effect(requested_at=START, handle=flat["revision_arn"]),
        rollout=Effect(
            requested_at=START,
            handle=flat["ecs_deployment_id"],
            ended_at=START,
            succeeded=True,
        ),
    )
    assert deployment.migrates == "rds:notes-staging"
