"""Plan: what will be done is fixed once, before anything changes."""

from typing import Any

import pytest

from slipway.domain.catalog import EcsTarget
from slipway.domain.deployment import Outcome
from slipway.domain.errors import Broken, Reason, Rejected
from slipway.domain.plan import LiveService
from slipway.domain.release import SCHEMA_LABEL
from slipway.steps.plan import PlanResult
from tests.unit.worlds import (
    FIRST_REVISION,
    NEW,
    OLD,
    REGISTRY,
    SERVICE_ARN,
    START,
    TARGET_GROUP,
    URL,
    Service,
    World,
    environment,
    image,
    stable,
    wish,
)


def admitted(world: World | None = None) -> World:
    world = world or World()
    world.admit()
    return world


def refusal(world: World) -> tuple[Reason, str]:
    with pytest.raises(Rejected) as refused:
        world.plan()
    return refused.value.reason, refused.value.message


def test_a_plan_holds_everything_that_will_be_done() -> None:
    world = admitted()

    result = world.plan()

    plan = world.deployment.planned()
    assert result == PlanResult(
        needs_approval=False,
        needs_migration=True,
        plan_hash=plan.plan_hash,
        service_arn=SERVICE_ARN,
        scanned_image=f"notes@{NEW}",
        approval_seconds=0,
        backup_seconds=3600,
        migrate_seconds=900,
        deploy_seconds=1800,
        verify_interval_seconds=10,
    )
    assert plan.live == LiveService(
        service_arn=SERVICE_ARN,
        revision_arn=FIRST_REVISION,
        image_uri=f"{REGISTRY}@{OLD}",
        architecture="ARM64",
        desired_count=2,
        target_group_arn=TARGET_GROUP,
        base_url=URL,
    )
    assert (plan.rollback_target, plan.planned_at) == (stable(), START)
    assert world.evidence[-1].data == {"plan_hash": plan.plan_hash}


def test_a_plan_is_made_once() -> None:
    world = admitted()
    first = world.plan()
    before = world.deployment
    world.wait(hours=1)
    world.registry.images.clear()

    assert world.plan() == first
    assert world.deployment == before


def test_a_plan_tells_how_long_an_approval_may_take() -> None:
    policy = {"approvers": ["ada"], "expires_after_minutes": 90}
    result = admitted(World(environment(approval=policy))).plan()

    assert (result.needs_approval, result.approval_seconds) == (True, 5400)


def test_the_catalogs_address_goes_before_the_load_balancers() -> None:
    world = admitted(World(environment(verification={"base_url": "https://notes.example.org"})))
    world.plan()

    assert world.deployment.planned().live.base_url == "https://notes.example.org"


def test_an_image_that_is_gone_is_refused() -> None:
    world = admitted()
    world.registry.images.clear()

    assert refusal(world) == (
        Reason.IMAGE_MISSING,
        "notes has no image sha256:b2b2b2b2b2b2 for ARM64.",
    )


def test_a_lane_that_left_the_catalog_is_refused() -> None:
    world = admitted()
    world.catalog = World(environment()).catalog.model_copy(update={"applications": {}})

    assert refusal(world) == (Reason.NOT_MEANT_FOR_US, "The catalog has no notes/staging.")


def test_a_release_that_is_live_already_changes_nothing() -> None:
    live = stable(digest=NEW, image_uri=f"{REGISTRY}@{NEW}")
    world = admitted(World(last_good=live))
    world.service.images[FIRST_REVISION] = f"{REGISTRY}@{NEW}"

    assert refusal(world) == (
        Reason.UNCHANGED,
        "sha256:b2b2b2b2b2b2 is live already, since notes-staging-0.",
    )
    assert world.deployment.plan is None


def test_a_last_good_release_that_is_not_what_runs_is_deployed_again() -> None:
    world = admitted(World(last_good=stable(digest=NEW, image_uri=f"{REGISTRY}@{NEW}")))

    assert world.plan().plan_hash


def test_an_explicit_request_deploys_what_is_live_already() -> None:
    world = World(last_good=stable(digest=NEW, image_uri=f"{REGISTRY}@{NEW}"))
    world.service.images[FIRST_REVISION] = f"{REGISTRY}@{NEW}"
    world.admit(wish(explicit=True))

    assert world.plan().plan_hash


def test_a_release_with_the_same_schema_needs_no_migration() -> None:
    world = admitted(World(pushed=image(**{SCHEMA_LABEL: "0001"})))

    assert world.plan().needs_migration is False


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"cancel_requested_by": "ada"}, Reason.CANCELLED),
        ({"outcome": Outcome.FAILED}, Reason.DEPLOYMENT_STOPPED),
    ],
)
def test_what_is_not_wanted_any_more_is_not_planned(
    fields: dict[str, object], reason: Reason
) -> None:
    world = admitted()
    world.rewrite(**fields)

    assert refusal(world)[0] is reason


def test_a_missing_service_is_broken_and_nothing_is_written() -> None:
    world = admitted()
    before = world.deployment

    def missing(target: object) -> LiveService:
        raise Broken(Reason.SERVICE_UNAVAILABLE, "The service 'notes' is missing.")

    world.service.live = missing  # type: ignore[method-assign]

    with pytest.raises(Broken):
        world.plan()
    assert world.deployment == before


def test_checks_that_have_no_address_are_refused_before_anything_changes() -> None:
    world = admitted()
    world.balancers.url = None

    assert refusal(world) == (
        Reason.CATALOG_INVALID,
        "Nothing listens in front of the service 'notes', so its checks have no address; "
        "set verification.base_url in the catalog.",
    )


def test_a_service_without_checks_needs_no_address() -> None:
    world = admitted(World(environment(verification={})))
    world.balancers.url = None

    assert world.plan().plan_hash


@pytest.mark.parametrize(
    ("interval_seconds", "bake_seconds", "between_looks"), [(10, 0, 10), (10, 60, 10), (5, 600, 60)]
)
def test_a_long_bake_is_not_looked_at_every_few_seconds(
    interval_seconds: int, bake_seconds: int, between_looks: int
) -> None:
    verification = {"interval_seconds": interval_seconds, "bake_seconds": bake_seconds}
    world = admitted(World(environment(verification=verification)))

    assert world.plan().verify_interval_seconds == between_looks


def test_a_service_that_wants_no_task_is_refused_because_nothing_could_be_verified() -> None:
    class Idle(Service):
        def live(self, target: EcsTarget) -> LiveService:
            return super().live(target).model_copy(update={"desired_count": 0})

    world = admitted()
    world.service = Idle()

    assert refusal(world) == (
        Reason.SERVICE_UNAVAILABLE,
        f"{SERVICE_ARN} wants 0 tasks, so nothing could be verified; raise its desired count "
        "first.",
    )


def test_a_last_good_revision_that_was_deregistered_is_no_way_back() -> None:
    class Deregistered(Service):
        def live(self, target: EcsTarget) -> LiveService:
            return super().live(target).model_copy(update={"is_registered": False})

    world = admitted()
    world.service = Deregistered()

    assert refusal(world)[0] is Reason.NOTHING_TO_ROLL_BACK_TO


def older_again(**live: Any) -> World:
    """A release that succeeded before the live one is asked for again."""
    world = admitted()
    world.rewrite_lane(proven=(OLD, NEW), stable=stable(schema_revision="0003", **live))
    return world


def test_an_older_release_runs_no_migration_on_a_schema_that_it_can_run_on() -> None:
    assert older_again(backward_compatible=True).plan().needs_migration is False


def test_an_older_release_is_refused_where_the_schema_has_moved_away_from_it() -> None:
    assert refusal(older_again()) == (
        Reason.SCHEMA_MOVED,
        "sha256:b2b2b2b2b2b2 ran here on schema 0002; since then notes-staging-0 has moved it to "
        "0003 and does not say that older code runs on it. Take the schema back first.",
    )
