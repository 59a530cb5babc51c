"""Stories of one-off tasks, labels, logs, databases and sites that answer oddly."""

import json
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from cloud.simulation import install
from cloud.simulation.prepared import FIRST
from cloud.simulation.run import Run
from cloud.simulation.scenarios import GOOD, NEXT, SHOP, Story
from cloud.simulation.world import BESIDE, DATABASE_CLUSTER, HOSTILE, LOST, SHARED_DATABASE, Image
from cloud.twin.ecs.policies import NO_CAPACITY
from slipway.domain.outcome import Outcome

Answer = dict[str, Any]
CLUSTER = "shop-production"
LEDGER = "ledger-staging-2"
PROMOTED = "ledger-production-2"
_A_WHILE = 120.0
_NEVER_STARTS = "ResourceInitializationError: unable to pull secrets or registry auth"
_BAD = Image("shop", "2", "s2", migration=1)
_BROKEN = Image("shop", "2", "s2", site=500)


def _pushed(*actions: tuple[str, Callable[[Run], None]], image: Image = GOOD) -> Story:
    """A push, and what happens besides soon after its deployment has entered a state."""

    def begin(run: Run) -> None:
        run.approver(lambda deployment_id: "approve")
        for state, action in actions:
            run.when(SHOP, state, partial(action, run))
        run.at(5.0, lambda: run.push(image, "v2"))

    return Story("", begin)


def _named(name: str, story: Story, **ends: Outcome) -> Story:
    """The story under a name, with how the deployments end: shop, next or ledger."""
    ids = {"shop": SHOP, "next": NEXT, "ledger": LEDGER}
    return Story(name, story.begin, {ids[which]: how for which, how in ends.items()})


# Tasks


def _no_room(run: Run, times: int | None) -> None:
    run.cloud.ecs.set_policy(CLUSTER, no_capacity=NO_CAPACITY, remaining=times)


def _full(times: int | None) -> Callable[[Run], None]:
    """ECS has no room for so many tries, or for none until something changes."""
    return lambda run: _no_room(run, times)


def _never_starts(run: Run) -> None:
    """The next task of the cluster does not start."""
    run.cloud.ecs.set_policy(CLUSTER, start_failure=_NEVER_STARTS, remaining=1)


def _soon(action: Callable[[Run], None], seconds: float = 10.0) -> Callable[[Run], None]:
    return lambda run: run.at(seconds, lambda: action(run))


def _cancelled(run: Run) -> None:
    run.operator.cancel(SHOP)


def _stopped(run: Run) -> None:
    run.stop(SHOP)


def _of_tasks() -> list[Story]:
    full, once, next_fails = (
        ("Backup", _full(None)),
        ("Backup", _full(1)),
        ("Backup", _never_starts),
    )
    cancelled, stopped = ("Migrate", _soon(_cancelled, 90.0)), ("Migrate", _soon(_stopped, 90.0))
    beside, lost = Image("shop", "2", "s2", how=BESIDE), Image("shop", "2", "s2", how=LOST)
    bad_beside = Image("shop", "2", "s2", migration=1, how=BESIDE)
    down_full, down_fails = ("Migrate", _soon(_full(2))), ("Migrate", _soon(_never_starts))
    return [
        _named("no-room-once", _pushed(once), shop=Outcome.SUCCEEDED),
        _named("no-room", _pushed(full), shop=Outcome.FAILED),
        _named("no-room-cancel", _pushed(full, cancelled), shop=Outcome.CANCELLED),
        _named("no-room-abort", _pushed(full, stopped), shop=Outcome.FAILED),
        _named("no-room-back", _pushed(down_full, image=_BAD), shop=Outcome.ROLLED_BACK),
        _named("never-starts", _pushed(next_fails), shop=Outcome.FAILED),
        _named("back-never-starts", _pushed(down_fails, image=_BAD), shop=Outcome.NEEDS_OPERATOR),
        _named("host-lost", _pushed(image=lost), shop=Outcome.ROLLED_BACK),
        _named("beside", _pushed(image=beside), shop=Outcome.SUCCEEDED),
        _named("beside-fails", _pushed(image=bad_beside), shop=Outcome.ROLLED_BACK),
    ]


# Logs, and what the schema's tool says


def _ledger(at: str, migration: int = 1) -> Story:
    """A migration that fails where the schema's tool can be asked for its revision."""
    image = Image("ledger", "2", "t2", migration=migration, at=at)
    return Story("", lambda run: run.at(5.0, lambda: run.push(image, "v2")))


def _hostile() -> Story:
    """A migration that writes a secret among lines made to be slow, and everybody listens."""
    plain = _pushed(image=Image("shop", "2", "s2", migration=1, log=HOSTILE))

    def begin(run: Run) -> None:
        install.listen()
        plain.begin(run)

    return Story("", begin)


def _of_words() -> list[Story]:
    back = Outcome.ROLLED_BACK
    return [
        _named("schema-stayed", _ledger("t1 (head)"), ledger=back),
        _named("schema-moved", _ledger("t2 (head)"), ledger=back),
        _named("schema-unsaid", _ledger(""), ledger=back),
        _named("hostile-log", _hostile(), shop=back),
    ]


# Labels


def _two(first: Image, second: Image) -> Story:
    """Two releases, one after the other has ended."""

    def begin(run: Run) -> None:
        run.approver(lambda deployment_id: "approve")
        run.at(5.0, lambda: run.push(first, "v2"))
        run.when(SHOP, "Succeeded", lambda: run.at(5.0, lambda: run.push(second, "v3")))

    return Story("", begin)


def _of_labels() -> list[Story]:
    both = {"shop": Outcome.SUCCEEDED, "next": Outcome.SUCCEEDED}
    blank = _two(Image("shop", "2", " "), Image("shop", "3", " "))
    newer = Image("shop", "2", "0005_orders", compatible=False)
    older = _two(newer, Image("shop", "3", "0004_items"))
    forged = Image("shop", "2\x1b[2K\u202e<!channel> " + 100_000 * "2", "s2")
    return [
        _named("blank-schema", blank, **both),
        _named("older-schema", older, shop=Outcome.SUCCEEDED, next=Outcome.BLOCKED),
        _named("forged-version", _pushed(image=forged), shop=Outcome.SUCCEEDED),
    ]


# Databases


def _database(
    status: str, until: float | None = None, name: str = SHARED_DATABASE
) -> Callable[[Run], None]:
    """The database gets into a state, and out of it after so many seconds."""

    def becomes(run: Run) -> None:
        database = run.cloud.rds.source(name)
        database.status = status
        if until is not None:
            run.at(until, lambda: setattr(database, "status", "available"))

    return becomes


def _of_databases() -> list[Story]:
    stopped = _pushed(("Plan", lambda run: None))

    def begin(run: Run) -> None:
        _database("stopped")(run)
        stopped.begin(run)

    full, busy = ("Approve", _database("storage-full")), ("Approve", _database("modifying", 300.0))
    return [
        _named("database-stopped", Story("", begin), shop=Outcome.BLOCKED),
        _named("database-full", _pushed(full), shop=Outcome.FAILED),
        _named("database-busy", _pushed(busy), shop=Outcome.SUCCEEDED),
        *_of_clusters(),
    ]


def _of_clusters() -> list[Story]:
    """The promotion to the lane whose database is a cluster; staging's backup is best effort."""

    def fail(run: Run) -> None:
        run.cloud.rds.set_policy(fail=True)

    def story(name: str, before: Callable[[Run], None], end: Outcome) -> Story:
        def begin(run: Run) -> None:
            before(run)
            run.at(5.0, lambda: run.push(Image("ledger", "2", "t2"), "v2"))

        return Story(name, begin, {LEDGER: Outcome.SUCCEEDED, PROMOTED: end})

    return [
        story("cluster-snapshot-failure", fail, Outcome.FAILED),
        story("cluster-stopped", _database("stopped", name=DATABASE_CLUSTER), Outcome.BLOCKED),
        story(
            "cluster-busy", _database("failing-over", 300.0, DATABASE_CLUSTER), Outcome.SUCCEEDED
        ),
    ]


# Sites and services


def _sign_in(url: str) -> Answer:
    if url.endswith("/login"):
        return {"status": 200, "body": b"<html>Sign in</html>"}
    return {"status": 302, "body": b"", "headers": {"Location": "/login"}}


def _page(body: Any) -> Callable[[str], Answer]:
    return lambda url: {"status": 200, "body": json.dumps(body).encode()}


def _says(answer: Callable[[str], Answer], *, always: bool = False) -> Callable[[Run], None]:
    """The site answers like this from now on: always, or while the new release is live."""

    def turns(run: Run) -> None:
        def says(url: str) -> Answer | None:
            new = any(GOOD.digest in one.primary.revision.images.values() for one in services)
            return answer(url) if always or new else None

        services = [one for one in run.cloud.services() if one.cluster_arn.endswith(CLUSTER)]
        run.cloud.web.override = says

    return turns


def _changed(**change: Any) -> Callable[[Run], None]:
    """Somebody changes the service."""
    wanted = {"cluster": CLUSTER, "service": "web", **change}
    return lambda run: run.call("ecs", "UpdateService", wanted)


def _of_sites() -> list[Story]:
    back, others, nested = Outcome.ROLLED_BACK, {"version": "7"}, {"app": {"version": "2"}}
    login = ("Plan", _says(_sign_in, always=True))
    good = Outcome.SUCCEEDED
    to_0, to_2 = _changed(desiredCount=0), _soon(_changed(desiredCount=2), _A_WHILE)
    forced = _changed(forceNewDeployment=True)
    return [
        _named("login-page", _pushed(login), shop=Outcome.BLOCKED),
        _named("new-login-page", _pushed(("Deploy", _says(_sign_in))), shop=back),
        _named("others-page", _pushed(("Deploy", _says(_page(others)))), shop=back),
        _named("nested-version", _pushed(("Deploy", _says(_page(nested)))), shop=back),
        _named("scaled-out", _pushed(("Verify", _changed(desiredCount=4))), shop=good),
        _named("scaled-in", _pushed(("Verify", _changed(desiredCount=1))), shop=good),
        _named("scaled-to-0-and-back", _pushed(("Verify", to_0), ("Verify", to_2)), shop=good),
        _named("scaled-to-0", _pushed(("Verify", to_0)), shop=Outcome.ROLLBACK_FAILED),
        _named("forced-at-deploy", _pushed(("Deploy", _soon(forced, 5.0))), shop=good),
        _named("forced-at-verify", _pushed(("Verify", forced)), shop=good),
        _named("way-back-expired", _pushed(("Approve", _expires)), shop=Outcome.BLOCKED),
    ]


def _expires(run: Run) -> None:
    """A lifecycle rule deletes the image of the last good release."""
    digest = FIRST["shop", "v1"].digest
    run.deleted.add(digest)
    wanted = {"repositoryName": "shop", "imageIds": [{"imageDigest": digest}]}
    run.call("ecr", "BatchDeleteImage", wanted)


@cache
def of_tasks() -> dict[str, Story]:
    """Every story of this module by its name."""
    found = [*_of_tasks(), *_of_words(), *_of_labels(), *_of_databases(), *_of_sites()]
    return {story.name: story for story in found}
