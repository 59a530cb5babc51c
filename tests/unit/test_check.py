"""Check: every gate is judged and recorded; the first that fails stops, a scan is waited for."""

from collections.abc import Callable

import pytest

from slipway.domain.approval import Answer
from slipway.domain.deployment import Origin
from slipway.domain.errors import Reason
from slipway.domain.gates import Scan
from slipway.domain.lane import Hold
from slipway.domain.outcome import Outcome
from slipway.steps.check import CheckRequest, keys
from slipway.steps.step import StepResult
from tests.builders.documents import (
    NEW,
    OLD,
    OTHER,
    REPOSITORY,
    START,
    environment,
    image,
    release,
    wish,
)
from tests.builders.worlds import World, rejected

GATES = [
    "gate: digest",
    "gate: image",
    "gate: platform",
    "gate: scan",
    "gate: earlier environment",
    "gate: alarms",
    "gate: rollback target",
    "gate: checks",
]
APPROVED = {"approvers": ["ada"], "expires_after_minutes": 60}


def put(world: World, reference: str, **changes: object) -> None:
    known = world.registry.images[REPOSITORY, reference]
    world.registry.images[REPOSITORY, reference] = known.model_copy(update=changes)


def test_every_gate_is_judged_and_recorded() -> None:
    world = World().planned()

    assert world.check() == StepResult(
        done=True, reason=Reason.GATES_PASSED, message="8 gates passed"
    )
    assert world.told == ["admitted", "planned", *GATES]
    assert world.evidence[2].model_dump(include={"reason", "message", "data"}) == {
        "reason": "GatesPassed",
        "message": "v2 names sha256:b2b2b2b2b2b2",
        "data": {"state": "passed"},
    }
    assert world.chain_errors() == []


def test_a_check_is_woken_by_its_scan_and_by_news_of_the_deployment() -> None:
    request = CheckRequest(
        deployment_id="notes-staging-1", lane="notes/staging", scanned_image=f"notes@{NEW}"
    )

    assert keys(request) == (f"scan:notes@{NEW}", "deployment:notes-staging-1")


def test_a_scan_that_runs_is_waited_for_and_nothing_is_written() -> None:
    world = World().planned()
    world.registry.scans[NEW] = Scan(status="IN_PROGRESS", findings={})
    before = world.deployment

    for _ in range(3):
        assert world.check() == StepResult(
            done=False,
            reason=Reason.WAITING,
            message="waiting for the scan (status IN_PROGRESS)",
        )
    assert world.deployment == before
    assert world.website.asked == []

    world.registry.scans[NEW] = Scan(status="COMPLETE", findings={})
    assert world.check().done


def test_patience_with_the_scan_is_counted_from_the_request() -> None:
    world = World().planned()
    world.registry.scans.clear()
    world.wait(minutes=9, seconds=59)
    assert not world.check().done

    world.wait(seconds=1)

    assert rejected(world.check)[0] is Reason.SCAN_FAILED


def firing(world: World) -> None:
    world.alarms.speaking = ("notes-5xx",)


def tag_moved(world: World) -> None:
    world.registry.images[REPOSITORY, "v2"] = image(OTHER)


def findings(world: World) -> None:
    world.registry.scans[NEW] = Scan(status="COMPLETE", findings={"CRITICAL": 1})


def last_good_archived(world: World) -> None:
    put(world, OLD, status="ARCHIVED")


def last_good_gone(world: World) -> None:
    del world.registry.images[REPOSITORY, OLD]


@pytest.mark.parametrize(
    ("happens", "reason"),
    [
        (firing, Reason.ALARM_FIRING),
        (tag_moved, Reason.DIGEST_MOVED),
        (findings, Reason.SCAN_FINDINGS),
        (last_good_archived, Reason.NOTHING_TO_ROLL_BACK_TO),
        (last_good_gone, Reason.NOTHING_TO_ROLL_BACK_TO),
    ],
)
def test_a_gate_that_fails_stops_the_deployment_with_all_verdicts_recorded(
    happens: Callable[[World], None], reason: Reason
) -> None:
    world = World().planned()
    happens(world)

    assert rejected(world.check)[0] is reason
    assert world.told == ["admitted", "planned", *GATES]


def test_the_gates_are_judged_anew_after_the_lane_was_taken() -> None:
    world = World().planned()
    world.check()
    world.enter()
    firing(world)

    assert rejected(world.check) == (Reason.ALARM_FIRING, "In alarm: notes-5xx.")


def test_an_image_that_was_archived_meanwhile_is_found() -> None:
    world = World().planned()
    world.check()
    for reference in ("v2", NEW):
        put(world, reference, status="ARCHIVED")

    assert rejected(world.check)[0] is Reason.IMAGE_UNAVAILABLE


def test_an_image_that_was_asked_for_by_digest_and_archived_meanwhile_is_found() -> None:
    world = World()
    world.admit(wish(explicit=True))
    world.plan()
    put(world, NEW, status="ARCHIVED")

    assert rejected(world.check)[0] is Reason.IMAGE_UNAVAILABLE


def test_an_image_that_was_asked_for_by_digest_and_deleted_meanwhile_is_found() -> None:
    world = World()
    world.admit(wish(explicit=True))
    world.plan()
    del world.registry.images[REPOSITORY, NEW]

    assert rejected(world.check) == (
        Reason.IMAGE_MISSING,
        "The image is no longer in the registry.",
    )


def test_an_explicit_request_need_not_be_what_the_tag_names() -> None:
    world = World()
    world.admit(wish(explicit=True, origin=Origin.REQUEST))
    world.plan()
    tag_moved(world)

    assert world.check().done


def test_a_newer_candidate_replaces_one_that_is_being_checked() -> None:
    world = World().planned()
    world.admit(wish("push:2", release=release(OTHER, "v3", START.replace(hour=10))))

    assert rejected(world.check) == (
        Reason.SUPERSEDED,
        "notes-staging-2 is newer and replaces this deployment. To deploy this release anyway, "
        f"request it: operate deploy notes/staging --digest {NEW} --reason ...",
    )


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"hold": Hold(reason="x", message="y", by="z", since=START)}, Reason.HELD),
        ({"bad_digests": {NEW: "notes-staging-0"}}, Reason.DIGEST_BAD),
    ],
)
def test_a_held_lane_and_a_bad_digest_stop_automation(
    fields: dict[str, object], reason: Reason
) -> None:
    world = World().planned()
    world.rewrite_lane(**fields)

    assert rejected(world.check)[0] is reason


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"cancel_requested_by": "ada"}, Reason.CANCELLED),
        ({"outcome": Outcome.FAILED}, Reason.DEPLOYMENT_ENDED),
    ],
)
def test_what_is_not_wanted_any_more_is_not_checked(
    fields: dict[str, object], reason: Reason
) -> None:
    world = World().planned()
    world.rewrite(**fields)

    assert rejected(world.check)[0] is reason


def test_a_digest_must_have_succeeded_in_the_earlier_environment() -> None:
    world = World()
    world.admit(wish("promotion:1", environment="production"))
    world.deployment_id = "notes-production-1"
    world.plan()

    assert rejected(world.check) == (
        Reason.EARLIER_ENVIRONMENT_MISSING,
        "sha256:b2b2b2b2b2b2 has not succeeded in staging; deploy it there first.",
    )

    world.rewrite_lane(proven=(OTHER, NEW))

    assert world.check().done


def entered_with_approval() -> World:
    world = World(environment(approval=APPROVED)).planned()
    world.approve()
    world.decide(Answer.APPROVE)
    world.enter()
    return world


def test_an_approval_that_stands_passes_after_the_lane_was_taken() -> None:
    world = entered_with_approval()
    world.wait(days=3)

    assert world.check().done


def test_before_the_lane_is_taken_no_approval_is_expected() -> None:
    assert World(environment(approval=APPROVED)).planned().check().done


def test_a_lane_that_was_taken_without_approval_is_refused() -> None:
    world = World(environment(approval=APPROVED)).planned()
    world.enter()

    assert rejected(world.check) == (
        Reason.PLAN_CHANGED,
        "The approval is for another plan; request the release again.",
    )


@pytest.mark.parametrize("change", [{"plan_hash": "0" * 64}, {"digest": OTHER}])
def test_an_approval_of_something_else_is_refused(change: dict[str, str]) -> None:
    world = entered_with_approval()
    approval = world.records.approval(world.deployment_id)
    assert approval is not None
    world.records.write([approval.model_copy(update=change)])

    assert rejected(world.check)[0] is Reason.PLAN_CHANGED


def test_a_plan_that_was_changed_after_the_approval_is_refused() -> None:
    world = entered_with_approval()
    other = world.deployment.planned().model_copy(update={"image": image(OTHER)})
    world.rewrite_plan(other)

    assert rejected(world.check)[0] is Reason.PLAN_CHANGED


def test_a_plan_that_was_changed_without_an_approval_is_refused_as_well() -> None:
    world = World().planned()
    world.rewrite_plan(world.deployment.planned().model_copy(update={"image": image(OTHER)}))

    assert rejected(world.check) == (
        Reason.PLAN_CHANGED,
        "The plan has changed since it was made; request the release again.",
    )
