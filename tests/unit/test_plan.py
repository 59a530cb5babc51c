"""Plan: what will be done is fixed once, before anything changes."""

import shlex
from typing import Any

import pytest

from slipway.domain.commands import deploy_command
from slipway.domain.deployment import Origin
from slipway.domain.errors import Broken, Reason, Rejected
from slipway.domain.guidance import way_back
from slipway.domain.outcome import Outcome
from slipway.domain.plan import LiveService
from slipway.domain.preflight import DatabaseCondition, DatabaseState, RevisionState
from slipway.domain.release import COMPATIBLE_LABEL, SCHEMA_LABEL, VERSION_LABEL, Image
from slipway.domain.target import EcsTarget
from slipway.domain.verdict import RolloutState
from slipway.operate.arguments import parse
from slipway.steps.plan import PlanResult
from tests.builders.documents import (
    DATABASE,
    FAMILY,
    FIRST_REVISION,
    NEW,
    OLD,
    OTHER,
    REGISTRY,
    SERVICE_ARN,
    START,
    TARGET_GROUP,
    URL,
    environment,
    image,
    release,
    stable,
    wish,
)
from tests.builders.service import Attempt, Service
from tests.builders.worlds import World, admitted, caught, rejected


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

    assert rejected(world.plan) == (
        Reason.IMAGE_MISSING,
        "notes has no image sha256:b2b2b2b2b2b2 for ARM64.",
    )


def test_a_lane_that_left_the_catalog_is_refused() -> None:
    world = admitted()
    world.catalog = World(environment()).catalog.model_copy(update={"applications": {}})

    assert rejected(world.plan) == (Reason.LANE_UNKNOWN, "The catalog has no notes/staging.")


def test_a_release_that_is_live_already_changes_nothing() -> None:
    live = stable(digest=NEW, image_uri=f"{REGISTRY}@{NEW}")
    world = admitted(World(last_good=live))
    world.service.images[FIRST_REVISION] = f"{REGISTRY}@{NEW}"

    assert rejected(world.plan) == (
        Reason.UNCHANGED,
        "sha256:b2b2b2b2b2b2 is already live, since notes-staging-0.",
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
        ({"outcome": Outcome.FAILED}, Reason.DEPLOYMENT_ENDED),
    ],
)
def test_what_is_not_wanted_any_more_is_not_planned(
    fields: dict[str, object], reason: Reason
) -> None:
    world = admitted()
    world.rewrite(**fields)

    assert rejected(world.plan)[0] is reason


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

    assert rejected(world.plan) == (
        Reason.CATALOG_INVALID,
        "No load balancer is in front of the service 'notes', so its checks have no address; "
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

    assert rejected(world.plan) == (
        Reason.SERVICE_UNAVAILABLE,
        f"{SERVICE_ARN} has a desired count of 0, so nothing could be verified; raise the count "
        "first.",
    )


def older_again(**live: Any) -> World:
    """A release that succeeded before the live one is asked for again."""
    world = admitted()
    world.rewrite_lane(proven=(OLD, NEW), stable=stable(schema_revision="0003", **live))
    return world


def test_an_older_release_runs_no_migration_on_a_schema_that_it_can_run_on() -> None:
    assert older_again(backward_compatible=True).plan().needs_migration is False


def test_an_older_release_is_refused_where_the_schema_has_moved_away_from_it() -> None:
    assert rejected(older_again().plan) == (
        Reason.SCHEMA_OLDER,
        "notes/staging is on schema 0003, and sha256:b2b2b2b2b2b2 was built for 0002, which is "
        "older; notes-staging-0 does not declare that older code runs on its schema. Build the "
        "release on the newer schema, or downgrade the schema by hand (alembic downgrade 0002) and "
        f"state that: operate deploy notes/staging --digest {NEW} --reason ... --schema-at 0002",
    )


BY_HAND: dict[str, Any] = {"origin": Origin.REQUEST, "explicit": True, "reason": "the site is down"}
"""A person's request."""


def test_an_unproven_image_of_an_older_schema_is_refused_before_anything_changes() -> None:
    world = World(last_good=stable(schema_revision="0003"))
    world.admit()

    reason, message = rejected(world.plan)

    assert reason is Reason.SCHEMA_OLDER
    assert "notes/staging is on schema 0003" in message
    assert world.told == ["admitted"]


def test_an_older_schema_goes_on_without_a_migration_where_older_code_runs_on_the_newer() -> None:
    world = World(last_good=stable(schema_revision="0003", backward_compatible=True))
    world.admit()

    assert world.plan().needs_migration is False


def test_the_refusal_of_an_older_schema_names_a_way_that_leads_on() -> None:
    world = World(last_good=stable(schema_revision="0003"))
    world.admit()
    _, message = rejected(world.plan)
    world.settle(failure=caught("Plan", "Rejected", f"SchemaOlder: {message}"))
    asked = parse([*shlex.split(message.partition("state that: operate ")[2]), "--by", "ada"])
    world.deployment_id = "notes-staging-2"
    world.admit(
        wish("request:1", **BY_HAND, release=release(asked.digest), schema_at=asked.schema_at)
    )

    result = world.plan()

    assert result.needs_migration is False
    assert "says that the schema is at 0002" in world.evidence[0].message


def test_a_schema_that_was_taken_back_by_hand_is_taken_at_its_word() -> None:
    """The database was restored to 0001 under the live 0002: its own release migrates it again."""
    world = World(
        pushed=image(OLD, **{SCHEMA_LABEL: "0002"}), last_good=stable(schema_revision="0002")
    )
    world.rewrite_lane(proven=(OLD,))
    world.admit(wish("request:1", **BY_HAND, release=release(OLD), schema_at="0001"))

    assert world.plan().needs_migration is True
    plan = world.deployment.planned()
    assert plan.rollback_target is None
    assert way_back(plan) == (
        "Rollback is not possible: the database is said to be at schema 0001, and the last good "
        "release was live on 0002. Changes stay in place, the lane is put on hold and an "
        "operator is paged."
    )


def test_a_deployment_on_a_schema_that_was_moved_by_hand_never_moves_it_back_by_itself() -> None:
    world = World(last_good=stable(schema_revision="0003"))
    world.admit(wish("request:1", **BY_HAND, release=release(NEW), schema_at="0002"))
    world.plan()
    assert world.check().done
    world.enter()
    world.deploy()
    world.service.complete()
    assert world.deploy().done

    with pytest.raises(Broken) as refused:
        world.rollback()

    assert refused.value.reason is Reason.NOTHING_TO_ROLL_BACK_TO
    assert world.one_offs.tasks == {}


def test_an_older_release_on_a_newer_schema_leaves_that_schema_in_the_record() -> None:
    """A later rollback would take the database back to where it never was."""
    world = World(last_good=stable(schema_revision="0003", backward_compatible=True))
    world.entered_and_deployed()
    assert world.verify().done
    world.settle()

    last_good = world.lane.stable
    assert last_good is not None
    assert (last_good.schema_revision, last_good.backward_compatible) == ("0003", True)
    assert world.lane.schemas.live == ("0003",)


def test_a_release_without_a_label_that_migrates_nothing_leaves_the_schema_in_the_record() -> None:
    world = World(last_good=stable(digest=OTHER))
    world.registry.images["notes", OLD] = image(OLD, **{SCHEMA_LABEL: ""})
    world.registry.images["notes", OTHER] = image(OTHER)
    world.rewrite_lane(proven=(OLD,))
    world.admit(wish("request:1", **BY_HAND, release=release(OLD)))
    assert world.plan().needs_migration is False
    world.enter()
    world.deploy()
    world.service.complete()
    world.deploy()
    assert world.verify().done
    world.settle()

    assert world.lane.stable is not None
    assert world.lane.stable.digest == OLD
    assert world.lane.stable.schema_revision == "0001"
    assert world.lane.stable.backward_compatible is False


@pytest.mark.parametrize("label", ["", "  ", "\n"])
def test_a_blank_label_says_nothing(label: str) -> None:
    silent = image().model_copy(
        update={"labels": {SCHEMA_LABEL: label, VERSION_LABEL: label, COMPATIBLE_LABEL: label}}
    )
    world = admitted(World(pushed=silent, last_good=stable(schema_revision=label)))

    assert world.plan().needs_migration is True
    made = world.deployment.planned().image
    assert (made.version, made.schema_revision, made.backward_compatible) == (None, None, False)


def test_a_label_that_is_no_version_is_told_and_not_shown() -> None:
    forged = image(**{VERSION_LABEL: "2\n*Approved by*\n<@ada>", SCHEMA_LABEL: "head of all"})
    world = admitted(World(pushed=forged))
    world.plan()

    assert {one.what: one.after for one in world.deployment.planned().differences} == {
        "image": f"{REGISTRY}@{NEW}",
        "version": "unknown: the image's label is not a version",
        "schema": "unknown: the image's label is not a schema",
    }


def test_everything_that_stands_against_a_plan_is_told_at_once() -> None:
    world = admitted()
    world.service.changes = {"strategy": "blue_green", "desired_count": 0}
    world.database_states.known[DATABASE] = DatabaseState(
        name="RDS instance", condition=DatabaseCondition.STUCK, status="stopped", remedy="Start it"
    )

    reason, message = rejected(world.plan)

    assert reason is Reason.SERVICE_UNAVAILABLE
    assert all(part in message for part in ("has a desired count of 0", "blue_green", "is stopped"))
    assert world.deployment.plan is None


def test_the_database_is_asked_only_where_a_backup_is_planned() -> None:
    for settings in (environment(migration=None), environment(backup={"policy": "off"})):
        world = admitted(World(settings))
        world.plan()
        assert world.database_states.asked == []

    same = admitted(World(pushed=image(**{SCHEMA_LABEL: "0001"})))
    same.plan()
    assert same.database_states.asked == []

    world = admitted()
    world.plan()
    assert world.database_states.asked == [DATABASE]


def test_an_image_is_resolved_for_the_operating_system_of_the_service() -> None:
    world = admitted()
    world.service.changes = {"operating_system": "WINDOWS_SERVER_2022_CORE"}
    asked: list[tuple[object, ...]] = []

    def resolved(*platform: object) -> Image:
        asked.append(platform)
        return image()

    world.registry.image = resolved  # type: ignore[assignment, method-assign]
    world.plan()

    assert asked == [("notes", NEW, "ARM64", "WINDOWS_SERVER_2022_CORE")]
    with pytest.raises(Rejected, match="WINDOWS_SERVER_2022_CORE ARM64"):
        world.check()


def without_last_good_image(**wished: Any) -> World:
    world = World()
    del world.registry.images["notes", OLD]
    world.admit(wish(**wished))
    world.plan()
    return world


def test_a_push_without_a_way_back_is_refused_with_a_command_that_leads_on() -> None:
    world = without_last_good_image()

    with pytest.raises(Rejected) as refused:
        world.check()

    assert refused.value.reason is Reason.NOTHING_TO_ROLL_BACK_TO
    world.settle(failure=caught("Check", "Rejected", str(refused.value)))
    command = refused.value.message.partition("Deploy anyway: operate ")[2]
    asked = parse([*shlex.split(command), "--by", "ada"])
    world.deployment_id = "notes-staging-2"
    world.admit(wish("request:1", **BY_HAND, release=release(asked.digest)))
    world.plan()
    assert world.check().done
    assert way_back(world.deployment.planned()).startswith(
        "Rollback is not possible: the last good image sha256:a1a1a1a1a1a1 is no longer in "
        "the registry"
    )


def test_a_deployment_without_a_way_back_that_fails_pages_an_operator() -> None:
    world = without_last_good_image(**BY_HAND)
    assert world.check().done
    world.enter()
    assert world.deployment.rollback_target is None
    assert world.check().done
    world.deploy()

    with pytest.raises(Broken) as refused:
        world.rollback()

    assert refused.value.message.startswith("Rollback is not possible: the last good image")


def test_a_way_back_that_was_lost_after_the_plan_is_not_passed_over_in_silence() -> None:
    world = World()
    world.admit(wish(**BY_HAND))
    world.plan()
    del world.registry.images["notes", OLD]

    with pytest.raises(Rejected, match="Rollback is not possible"):
        world.check()


def test_a_new_last_good_release_is_a_way_back_again() -> None:
    world = without_last_good_image(**BY_HAND)
    newer = stable(deployment_id="notes-staging-9", digest=OTHER, image_uri=f"{REGISTRY}@{OTHER}")
    world.registry.images["notes", OTHER] = image(OTHER)
    world.rewrite_lane(stable=newer)
    world.enter()

    assert world.deployment.rollback_target == newer


def test_the_last_good_image_is_looked_for_in_its_own_repository() -> None:
    world = World(last_good=stable(image_uri=f"{REGISTRY}-before@{OLD}"))
    world.registry.images["notes-before", OLD] = world.registry.images.pop(("notes", OLD))
    world.admit()
    world.plan()

    assert world.check().done


def test_a_plan_is_not_followed_once_another_release_has_moved_the_schema() -> None:
    world = admitted(World(pushed=image(**{SCHEMA_LABEL: "0001"})))
    assert world.plan().needs_migration is False
    world.rewrite_lane(stable=stable(deployment_id="notes-staging-9", schema_revision="0002"))

    with pytest.raises(Rejected) as refused:
        world.check()

    assert refused.value.reason is Reason.SCHEMA_OLDER


def test_a_plan_without_the_migration_that_is_needed_now_is_not_followed() -> None:
    world = admitted(World(pushed=image(**{SCHEMA_LABEL: "0001"})))
    assert world.plan().needs_migration is False
    world.rewrite_lane(stable=stable(deployment_id="notes-staging-9", schema_revision="0000"))

    with pytest.raises(Rejected) as refused:
        world.check()

    assert refused.value.reason is Reason.PLAN_CHANGED
    assert deploy_command("notes/staging", NEW) in refused.value.message


def test_a_last_good_revision_that_was_deleted_is_no_way_back() -> None:
    world = admitted(with_another_revision_live(RevisionState.DELETED))
    world.plan()

    with pytest.raises(Rejected, match="was deleted"):
        world.check()


def with_another_revision_live(state: RevisionState) -> World:
    """Somebody has put revision 9 live; the last good release's own is in this state."""
    world = World(environment(migration=None, database=None))
    other = f"{FAMILY}:9"
    world.service.images[other] = f"{REGISTRY}@{OLD}"
    world.service.attempts.insert(0, Attempt("ecs-svc/9", other, RolloutState.COMPLETED))
    world.service.primary = world.service.attempts[0]
    world.service.revisions[FIRST_REVISION] = state
    return world


def test_another_database_is_never_taken_back_to_the_schema_of_the_one_before() -> None:
    world = World(last_good=stable(database_id="rds:notes-before"))
    world.entered()

    assert world.deployment.planned().needs_migration is True
    for target in (world.deployment.planned().rollback_target, world.deployment.rollback_target):
        assert target is not None
        assert (target.digest, target.schema_revision) == (OLD, None)
    assert "an operator decides" in way_back(world.deployment.planned())


def test_a_last_good_release_of_another_service_is_no_way_back() -> None:
    world = admitted(World(last_good=stable(service_arn=f"{SERVICE_ARN}-before")))
    world.plan()

    with pytest.raises(Rejected, match=f"ran in {SERVICE_ARN}-before, not in {SERVICE_ARN}"):
        world.check()


def test_a_planned_migration_does_not_start_from_a_newer_schema_than_its_own() -> None:
    world = admitted()
    assert world.plan().needs_migration is True
    newer = stable(deployment_id="notes-9", schema_revision="0003", backward_compatible=True)
    world.rewrite_lane(stable=newer)

    with pytest.raises(Rejected) as refused:
        world.check()

    assert refused.value.reason is Reason.PLAN_CHANGED
    assert "a migration, and notes/staging is at schema 0003 now" in refused.value.message


def test_a_push_goes_on_when_the_release_before_it_has_moved_the_schema_already() -> None:
    world = admitted()
    assert world.plan().needs_migration is True
    world.rewrite_lane(stable=stable(deployment_id="notes-9", schema_revision="0002"))

    assert world.check().done
