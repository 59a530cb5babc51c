"""Lost pushes and retags: ECR tells no time of a tag, so each look remembers what it saw."""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from slipway.chores.job import Admit
from slipway.chores.sweep import SweepResult, sweep
from slipway.domain.catalog import Catalog
from slipway.domain.deployment import Deployment, Origin
from slipway.domain.errors import Broken, Reason, Rejected, Transient
from slipway.domain.outcome import Outcome
from slipway.domain.release import Release
from slipway.domain.seen import SeenTags
from slipway.journal import Journal
from slipway.ports.records import Admission
from slipway.requests.admit import AdmitResult, admit
from slipway.requests.wish import Wish
from slipway.requests.wishes import push_wish
from tests.builders.documents import NEW, OLD, OTHER, REPOSITORY, START, environment, release
from tests.builders.worlds import World

FOURTH = f"sha256:{'d4' * 32}"
MONDAY, TUESDAY, WEDNESDAY = (START + timedelta(days=days) for days in (1, 2, 3))


class Repository:
    """A world whose repository is looked at, and what Admit says of some digests."""

    def __init__(self) -> None:
        self.world = World()
        self.world.rewrite_lane(stable=None)
        self.refusals: dict[str, Exception] = {}
        self.asked: list[str] = []

    def tag(self, tag: str, digest: str, first_pushed_at: datetime) -> None:
        """A tag names a digest from now on."""
        self.untag(tag)
        release = Release(repository=REPOSITORY, digest=digest, tag=tag, pushed_at=first_pushed_at)
        self.world.registry.pushes.append(release)

    def untag(self, tag: str) -> None:
        pushes = self.world.registry.pushes
        pushes[:] = [one for one in pushes if one.tag != tag]

    def heard(self, tag: str, digest: str, at: datetime, wish_id: str | None = None) -> None:
        """A push whose event arrives."""
        self.tag(tag, digest, at)
        release = Release(repository=REPOSITORY, digest=digest, tag=tag, pushed_at=at)
        wish = push_wish("notes", "staging", release, Origin.PUSH)
        self.world.admit(wish if wish_id is None else wish.model_copy(update={"wish_id": wish_id}))

    def look(self, at: datetime) -> SweepResult:
        """A sweep at that time."""
        world = self.world
        world.now = at
        ports: Any = {name: world.port(name) for name in ("executions", "announcements")}
        journal = Journal(world.port("records"), at)
        inner: Admit = partial(
            admit, journal=journal, **ports, registry=world.registry, catalog=world.catalog
        )

        def judged(wish: Wish) -> AdmitResult:
            self.asked.append(wish.release.digest)
            if wish.release.digest in self.refusals:
                raise self.refusals[wish.release.digest]
            return inner(wish)

        return sweep(
            records=journal.records,
            **ports,
            catalog=world.catalog,
            registry=world.registry,
            one_offs=world.port("one_offs"),
            admit=judged,
            clock=lambda: at,
        )

    @property
    def found(self) -> list[tuple[str, str]]:
        """Digest and lane of what the sweep has admitted, in order."""
        return [(one.release.digest, one.lane_id) for one in self.deployments() if _swept(one)]

    def deployments(self) -> list[Deployment]:
        everything = self.world.records.unsettled()
        return sorted(everything, key=lambda one: (one.requested_at, one.deployment_id))


def _swept(one: Deployment) -> bool:
    return one.origin is Origin.SWEEP


@pytest.fixture
def repository() -> Repository:
    """A lane on which an image of some days ago is the newest candidate, looked at since."""
    made = Repository()
    made.heard("v1", OLD, START)
    made.look(START + timedelta(minutes=5))
    return made


def test_a_retag_is_found_also_when_a_request_came_shortly_before() -> None:
    repository = Repository()
    repository.heard("v2", NEW, START)
    for minutes in range(2, 31, 4):
        repository.look(START + timedelta(minutes=minutes))
    repository.world.now = START + timedelta(minutes=31)
    request = push_wish("notes", "staging", release(OLD, "v1"), Origin.REQUEST)
    said = {"wish_id": "request:1", "explicit": True, "replace": True}
    repository.world.admit(request.model_copy(update=said))
    repository.look(START + timedelta(minutes=34))
    repository.look(START + timedelta(minutes=38))

    repository.tag("v3", NEW, START)
    found = repository.look(START + timedelta(minutes=42))

    assert len(found.admitted) == 1


def test_a_look_that_could_not_admit_takes_no_release_of_before_for_a_retag() -> None:
    """What was admitted long ago is remembered, though the newer push beside it stays open."""
    repository = Repository()
    repository.heard("v1", OLD, START)
    repository.tag("v2", NEW, START + timedelta(minutes=10))
    repository.refusals[NEW] = Transient(Reason.AWS_UNAVAILABLE, "GetItem: slow down")
    repository.look(START + timedelta(minutes=11))

    del repository.refusals[NEW]
    repository.heard("v2", NEW, START + timedelta(minutes=10))
    found = repository.look(START + timedelta(minutes=12))

    assert (found.admitted, found.problems) == ((), ())
    assert [one.release.digest for one in repository.deployments()] == [OLD, NEW]


def test_a_retag_of_an_image_that_was_pushed_days_before_is_found(repository: Repository) -> None:
    repository.tag("ci-17", NEW, MONDAY)
    repository.look(MONDAY + timedelta(minutes=4))
    repository.heard("v2", OTHER, TUESDAY)
    repository.look(TUESDAY + timedelta(minutes=4))

    repository.tag("v3", NEW, MONDAY)
    found = repository.look(WEDNESDAY)

    assert found.admitted == ("notes-staging-3",)
    assert repository.world.lane.newest is not None
    assert repository.world.lane.newest.digest == NEW
    assert repository.look(WEDNESDAY + timedelta(minutes=4)).admitted == ()


def test_a_retag_that_a_newer_candidate_has_overtaken_ends_explicitly(
    repository: Repository,
) -> None:
    repository.tag("ci-17", NEW, MONDAY)
    repository.look(MONDAY + timedelta(minutes=4))

    repository.tag("v3", NEW, MONDAY)
    repository.heard("v4", OTHER, MONDAY + timedelta(minutes=6))
    found = repository.look(MONDAY + timedelta(minutes=8))

    assert found.admitted == ("notes-staging-3",)
    assert repository.world.lane.superseded_by("notes-staging-3") == "notes-staging-2"


def test_a_retag_is_found_after_a_person_has_asked_for_something_else(
    repository: Repository,
) -> None:
    """Nothing changed in the repository meanwhile, and still the time of the last look is known."""
    repository.tag("ci-17", NEW, MONDAY)
    repository.look(MONDAY + timedelta(minutes=4))
    repository.world.rewrite(outcome=Outcome.SUCCEEDED, settled_at=MONDAY)
    repository.world.now = TUESDAY
    other = Release(repository=REPOSITORY, digest=OTHER, tag="v2", pushed_at=TUESDAY)
    wish = push_wish("notes", "staging", other, Origin.REQUEST)
    repository.world.admit(wish.model_copy(update={"explicit": True}))
    repository.look(TUESDAY + timedelta(hours=2))

    repository.tag("v3", NEW, MONDAY)
    repository.look(WEDNESDAY)

    assert repository.world.lane.superseded_by("notes-staging-3") is None


def test_a_tag_that_was_moved_back_is_a_wish_to_go_back(repository: Repository) -> None:
    repository.heard("stable-v", NEW, MONDAY)
    repository.heard("v", OTHER, TUESDAY)
    repository.look(TUESDAY + timedelta(hours=2))

    repository.tag("v", NEW, MONDAY)
    found = repository.look(WEDNESDAY)

    assert found.admitted == ("notes-staging-4",)
    assert repository.world.lane.newest is not None
    assert repository.world.lane.newest.digest == NEW
    assert repository.look(WEDNESDAY + timedelta(minutes=1)).admitted == ()


def test_a_retag_whose_event_came_is_left_alone(repository: Repository) -> None:
    repository.heard("v2", NEW, MONDAY)
    repository.heard("v", OTHER, TUESDAY)
    repository.look(TUESDAY + timedelta(hours=2))

    repository.heard("v", NEW, WEDNESDAY, wish_id="push:notes/staging:notes@event-1")
    repository.tag("v", NEW, MONDAY)

    assert repository.look(WEDNESDAY + timedelta(minutes=4)).admitted == ()


def test_a_tag_that_was_deleted_and_is_back_starts_nothing_twice(repository: Repository) -> None:
    repository.heard("v2", NEW, MONDAY)
    repository.look(MONDAY + timedelta(minutes=4))
    repository.untag("v2")
    repository.look(MONDAY + timedelta(minutes=8))

    repository.tag("v2", NEW, MONDAY)

    assert repository.look(MONDAY + timedelta(minutes=12)).admitted == ()


def test_a_changed_tag_pattern_deploys_nothing_that_was_there_before(
    repository: Repository,
) -> None:
    repository.tag("nightly-1", NEW, MONDAY)
    repository.look(MONDAY + timedelta(minutes=4))

    push = {"repository": REPOSITORY, "tags": ["v*", "nightly-*"]}
    repository.world.catalog = _feeding({"staging": environment(push=push)})

    assert repository.look(MONDAY + timedelta(minutes=8)).admitted == ()


def test_an_environment_that_is_new_takes_up_what_was_pushed_within_a_day(
    repository: Repository,
) -> None:
    repository.tag("nightly-1", OTHER, MONDAY)
    repository.tag("nightly-2", NEW, TUESDAY)
    repository.look(TUESDAY + timedelta(minutes=4))

    push = {"repository": REPOSITORY, "tags": ["nightly-*"]}
    target = {"cluster": "nightly", "service": "notes", "container": "app"}
    database = {"identifier": "notes-nightly"}
    nightly = environment(push=push, target=target, database=database)
    repository.world.catalog = _feeding({"staging": environment(), "nightly": nightly})

    assert repository.look(TUESDAY + timedelta(hours=1)).admitted == ("notes-nightly-1",)
    assert repository.look(TUESDAY + timedelta(hours=2)).admitted == ()


def test_two_environments_that_one_repository_feeds_each_get_what_they_missed(
    repository: Repository,
) -> None:
    target = {"cluster": "canary", "service": "notes", "container": "app"}
    canary = environment(target=target, database={"identifier": "notes-canary"})
    repository.world.catalog = _feeding({"staging": environment(), "canary": canary})
    repository.look(START + timedelta(days=1, minutes=10))

    repository.heard("v2", NEW, TUESDAY)

    assert repository.look(TUESDAY + timedelta(minutes=4)).admitted == ("notes-canary-1",)


def test_an_artifact_that_is_refused_hides_no_image_and_is_not_asked_for_again(
    repository: Repository,
) -> None:
    repository.refusals[OTHER] = Rejected(Reason.NOT_AN_IMAGE, "a Helm chart")
    repository.tag("v2", NEW, MONDAY)
    repository.tag("v2-chart", OTHER, MONDAY + timedelta(seconds=20))

    assert repository.look(MONDAY + timedelta(minutes=4)).admitted == ("notes-staging-2",)
    assert repository.asked == [OTHER, NEW]
    repository.look(MONDAY + timedelta(minutes=8))
    assert repository.asked == [OTHER, NEW]


def test_an_artifact_whose_event_was_refused_hides_no_image_whose_event_was_lost(
    repository: Repository,
) -> None:
    repository.refusals[OTHER] = Rejected(Reason.NOT_AN_IMAGE, "a signature")
    repository.tag("v2", NEW, MONDAY)
    repository.tag("v2-signature", OTHER, MONDAY + timedelta(seconds=20))
    signature = Release(repository=REPOSITORY, digest=OTHER, tag="v2-signature", pushed_at=MONDAY)
    refused = push_wish("notes", "staging", signature, Origin.PUSH)
    admission = Admission(admission_id=refused.wish_id, deployment_id="")
    repository.world.records.write([], admission=admission)

    assert repository.look(MONDAY + timedelta(minutes=4)).admitted == ("notes-staging-2",)


@pytest.mark.parametrize("error", [Transient, Broken])
def test_what_could_not_be_admitted_is_found_again(
    repository: Repository, error: type[Transient | Broken]
) -> None:
    repository.refusals[NEW] = error(Reason.AWS_UNAVAILABLE, "try later")
    repository.tag("v2", NEW, MONDAY)
    first = repository.look(MONDAY + timedelta(minutes=4))
    repository.refusals.clear()

    assert (first.admitted, first.problems) == ((), ("AwsUnavailable: try later",))
    assert repository.look(MONDAY + timedelta(minutes=8)).admitted == ("notes-staging-2",)


def test_a_retag_that_could_not_be_admitted_is_found_again(repository: Repository) -> None:
    repository.tag("ci-17", NEW, MONDAY)
    repository.look(MONDAY + timedelta(minutes=4))
    repository.refusals[NEW] = Transient(Reason.AWS_UNAVAILABLE, "try later")
    repository.tag("v3", NEW, MONDAY)
    assert repository.look(TUESDAY).admitted == ()
    repository.refusals.clear()

    assert repository.look(TUESDAY + timedelta(minutes=1)).admitted == ("notes-staging-2",)


def test_a_push_that_could_not_be_admitted_at_the_first_look_is_found_again() -> None:
    fresh = Repository()
    fresh.refusals[NEW] = Transient(Reason.AWS_UNAVAILABLE, "try later")
    fresh.tag("v1", OLD, START + timedelta(minutes=1))
    fresh.tag("v2", NEW, START + timedelta(minutes=2))
    assert fresh.look(START + timedelta(minutes=5)).admitted == ()
    fresh.refusals.clear()

    assert fresh.look(START + timedelta(minutes=6)).admitted == ("notes-staging-1",)
    assert fresh.found == [(NEW, "notes/staging")]


def test_what_was_admitted_but_not_remembered_is_found_once(repository: Repository) -> None:
    repository.tag("v2", NEW, MONDAY)
    before = repository.world.records.seen_tags([REPOSITORY])
    repository.look(MONDAY + timedelta(minutes=4))
    stored = repository.world.records.seen_tags([REPOSITORY])[0].version
    repository.world.records.write([before[0].model_copy(update={"version": stored})])

    assert repository.look(MONDAY + timedelta(minutes=8)).admitted == ()


def test_a_push_that_is_only_just_there_is_neither_admitted_nor_forgotten(
    repository: Repository,
) -> None:
    repository.tag("v2", NEW, MONDAY)

    assert repository.look(MONDAY + timedelta(seconds=29)).admitted == ()
    assert repository.look(MONDAY + timedelta(seconds=89)).admitted == ("notes-staging-2",)


def test_nothing_is_written_while_nothing_changes(repository: Repository) -> None:
    at = START + timedelta(minutes=10)
    repository.look(at)
    stored = repository.world.records.seen_tags([REPOSITORY])

    repository.look(at + timedelta(minutes=4))

    assert repository.world.records.seen_tags([REPOSITORY]) == stored


def test_many_retags_at_once_are_one_deployment(repository: Repository) -> None:
    digests = [f"sha256:{number:064x}" for number in range(30)]
    for number, digest in enumerate(digests):
        repository.tag(f"ci-{number}", digest, MONDAY + timedelta(minutes=number))
    repository.look(MONDAY + timedelta(hours=1))

    for number, digest in enumerate(digests):
        repository.tag(f"v-{number}", digest, MONDAY + timedelta(minutes=number))
    repository.look(TUESDAY)

    assert repository.found == [(digests[-1], "notes/staging")]


def _feeding(environments: dict[str, Any]) -> Catalog:
    shown = {name: one.model_dump(exclude_none=True) for name, one in environments.items()}
    entry = {"application": "notes", "environments": shown}
    return Catalog.model_validate({"applications": {"notes": entry}})


def many(count: int, day: datetime) -> list[Release]:
    return [
        Release(
            repository="n" * 256,
            digest=f"sha256:{number:064x}",
            tag="t" * 300,
            pushed_at=day + timedelta(seconds=number),
        )
        for number in range(count)
    ]


def test_what_is_remembered_of_a_repository_stays_below_64_kb() -> None:
    seen = SeenTags(repository="n" * 256, until=START)
    releases = many(20_000, START)

    after = seen.after(releases, ["notes/staging"], START)

    assert len(after.model_dump_json()) < 64 * 1024
    assert after.unknown(releases) == []
    assert after.unknown(many(1, WEDNESDAY)) == many(1, WEDNESDAY)
