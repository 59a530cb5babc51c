"""What people and pipelines do in a run: the thirteen stories, some of them at every phase."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from cloud.simulation.run import Run
from cloud.simulation.world import ALARM, Image
from slipway.domain.outcome import Outcome

SHOP = "shop-production-2"
NEXT = "shop-production-3"
PHASES = (
    "Plan",
    "Check",
    "Approve",
    "Enter",
    "CheckAgain",
    "Backup",
    "Migrate",
    "Deploy",
    "Verify",
    "Settle",
)
_PROMOTED = {name: Outcome.SUCCEEDED for name in ("ledger-staging-2", "ledger-production-2")}
_KEPT_AND_FREED = {SHOP: Outcome.NEEDS_OPERATOR, "ledger-staging-2": Outcome.SUCCEEDED}
GOOD = Image("shop", "2", "s2")
NEWER = Image("shop", "3", "s3")


@dataclass(frozen=True)
class Story:
    """A scenario, and how its deployments end when nothing else goes wrong."""

    name: str
    begin: Callable[[Run], None]
    ends: Mapping[str, Outcome | None] = field(default_factory=dict)

    def play(self, run: Run) -> None:
        self.begin(run)


def _pushed(
    image: Image, answer: str | None = "approve", delay: float = 30.0, second: str | None = None
) -> Callable[[Run], None]:
    def begin(run: Run) -> None:
        run.approver(lambda deployment_id: answer, delay, second)
        run.at(5.0, lambda: run.push(image, f"v{image.version}"))

    return begin


def _alarmed(run: Run) -> None:
    _pushed(GOOD)(run)
    state = {"AlarmName": ALARM, "StateValue": "ALARM", "StateReason": "5xx"}
    run.at(1.0, lambda: run.call("cloudwatch", "SetAlarmState", state))


def _no_snapshot(run: Run) -> None:
    run.cloud.rds.set_policy(fail=True)
    _pushed(GOOD)(run)


def _rollback_fails(run: Run) -> None:
    """The new release does not serve, and the old one does not start any more either."""
    bad = Image("shop", "2", "s2", site=500)

    def spoil() -> None:
        for digest, image in list(run.cloud.engines.images.items()):
            if (image.repository, image.version) == ("shop", "1"):
                run.cloud.engines.images[digest] = Image("shop", "1", "s1", exits=1)

    _pushed(bad)(run)
    run.when(SHOP, "Verify", spoil)


def _lost_push(run: Run) -> None:
    _pushed(GOOD)(run)
    run.lose("ECR Image Action")


def _newer_at(state: str) -> Callable[[Run], None]:
    def begin(run: Run) -> None:
        _pushed(GOOD)(run)
        run.when(SHOP, state, lambda: run.push(NEWER, "v3"))

    return begin


def _aborted_at(state: str) -> Callable[[Run], None]:
    def begin(run: Run) -> None:
        _pushed(GOOD)(run)
        run.when(SHOP, state, lambda: run.stop(SHOP))

    return begin


def _cancelled_at(state: str) -> Callable[[Run], None]:
    def begin(run: Run) -> None:
        _pushed(GOOD)(run)
        run.when(SHOP, state, lambda: run.operator.cancel(SHOP))

    return begin


def _held_by_hand(run: Run) -> None:
    """A hold ends what waits for approval; once it is lifted, the next push goes through."""
    _pushed(GOOD, delay=60.0)(run)
    run.when(SHOP, "Approve", lambda: run.operator.hold("shop", "production"))
    run.when(SHOP, "Blocked", lambda: run.operator.lift("shop", "production"))
    run.when(SHOP, "Blocked", lambda: run.at(30.0, lambda: run.push(NEWER, "v3")))


def _promotion(run: Run) -> None:
    run.approver(lambda deployment_id: "approve")
    run.at(5.0, lambda: run.push(Image("ledger", "2", "t2"), "v2"))


def _slack_down(run: Run) -> None:
    """Slack answers nobody for an hour; where no person is asked nothing waits for it."""
    _promotion(run)
    slack = run.cloud.slack
    slack.down = True
    run.at(3600.0, lambda: setattr(slack, "down", False))


def _slack_busy(run: Run) -> None:
    """Slack takes nothing for an hour, and says so: nothing of it can have arrived."""
    _promotion(run)
    slack = run.cloud.slack
    slack.busy = True
    run.at(3600.0, lambda: setattr(slack, "busy", False))


def _double_click(run: Run) -> None:
    """Two people answer within a moment, and not alike."""
    _pushed(GOOD, second="reject")(run)


def _second_failure(run: Run) -> None:
    """After a rollback a person insists on another release, which is bad as well."""
    _pushed(Image("shop", "2", "s2", site=500))(run)
    worse = Image("shop", "3", "s3", site=500)

    def insist() -> None:
        run.push(worse, "w3")
        detail = {
            "application": "shop",
            "environment": "production",
            "repository": "shop",
            "digest": worse.digest,
            "tag": "w3",
            "requested_by": "ada",
        }
        run.ask("Deployment Requested", detail)

    run.when(SHOP, "RolledBack", insist)


def _foreign_change(run: Run) -> None:
    """Somebody points the service at its old revision while the new one is being verified."""
    _pushed(GOOD)(run)
    change = {"cluster": "shop-production", "service": "web", "taskDefinition": "shop-production:2"}
    run.when(SHOP, "Verify", lambda: run.call("ecs", "UpdateService", change))


def _last_good_deregistered(run: Run) -> None:
    """Somebody tidies up the revision that is live, and the new release does not serve."""
    _pushed(Image("shop", "2", "s2", site=500))(run)

    def tidy_up() -> None:
        asked = {"cluster": "shop-production", "services": ["web"]}
        (service,) = run.call("ecs", "DescribeServices", asked)["services"]
        live = service["taskDefinition"]
        run.call("ecs", "DeregisterTaskDefinition", {"taskDefinition": live})
        run.deregistered.append(live)

    run.when(SHOP, "Backup", tidy_up)


def _shared_database(run: Run) -> None:
    """Two applications want to migrate the database that they share at the same time."""
    _pushed(GOOD, delay=1.0)(run)
    image = Image("ledger", "2", "t2")
    run.when(SHOP, "Enter", lambda: run.push(image, "v2"))


def _database_kept(seconds: float, *, stopped: bool) -> Callable[[Run], None]:
    """A migration outlives its deployment, and another application wants the same database."""

    def begin(run: Run) -> None:
        _pushed(Image("shop", "2", "s2", migration_seconds=seconds))(run)
        run.when(SHOP, "Migrate", lambda: run.push(Image("ledger", "2", "t2"), "v2"))
        if stopped:
            run.when(SHOP, "Migrate", lambda: run.stop(SHOP))

    return begin


def _push_after_rollback(run: Run) -> None:
    """After a rollback the lane is on hold: the next push has to wait for a person."""
    _pushed(Image("shop", "2", "s2", site=500))(run)
    run.when(SHOP, "RolledBack", lambda: run.push(NEWER, "v3"))


def _retagged(after: float) -> Callable[[Run], None]:
    """The same image gets a second tag while it is under way, or later: that is a second event."""

    def begin(run: Run) -> None:
        _pushed(GOOD)(run)
        tag = {"repositoryName": "shop", "imageManifest": GOOD.manifest, "imageTag": "v2-final"}
        run.at(after, lambda: run.call("ecr", "PutImage", tag))

    return begin


def _twice_pushed(run: Run) -> None:
    """Two pushes shortly after one another."""
    _pushed(GOOD)(run)
    run.at(6.5, lambda: run.push(NEWER, "v3"))


@cache
def stories() -> dict[str, Story]:
    """The thirteen scenarios by name; those with a phase have their most telling one here."""
    bad_migration = Image("shop", "2", "s2", migration=1)
    crashing = Image("shop", "2", "s2", exits=1)
    broken = Image("shop", "2", "s2", site=500)
    found = [
        Story("success", _pushed(GOOD), {SHOP: Outcome.SUCCEEDED}),
        Story("reject", _pushed(GOOD, "reject"), {SHOP: Outcome.REJECTED}),
        Story("expiry", _pushed(GOOD, None), {SHOP: Outcome.EXPIRED}),
        Story("gate-failure", _alarmed, {SHOP: Outcome.BLOCKED}),
        Story("snapshot-failure", _no_snapshot, {SHOP: Outcome.FAILED}),
        Story("migration-failure", _pushed(bad_migration), {SHOP: Outcome.ROLLED_BACK}),
        Story("deploy-failure", _pushed(crashing), {SHOP: Outcome.ROLLED_BACK}),
        Story("verify-failure", _pushed(broken), {SHOP: Outcome.ROLLED_BACK}),
        Story("newer-push", _newer_at("Approve"), {SHOP: Outcome.SUPERSEDED}),
        Story("rollback-failure", _rollback_fails, {SHOP: Outcome.ROLLBACK_FAILED}),
        Story("abort", _aborted_at("Deploy"), {SHOP: Outcome.NEEDS_OPERATOR}),
        Story("lost-push", _lost_push, {SHOP: Outcome.SUCCEEDED}),
        Story("promotion", _promotion, _PROMOTED),
    ]
    return {story.name: story for story in found}


@cache
def variants() -> dict[str, Story]:
    """The stories that happen at a phase, at every phase, and others."""
    newer = [Story(f"newer-push@{state}", _newer_at(state)) for state in PHASES]
    aborted = [Story(f"abort@{state}", _aborted_at(state)) for state in PHASES]
    cancelled = [Story(f"cancel@{state}", _cancelled_at(state)) for state in PHASES]
    others = [
        Story("held-by-hand", _held_by_hand, {SHOP: Outcome.BLOCKED, NEXT: Outcome.SUCCEEDED}),
        Story("slack-down", _slack_down, _PROMOTED),
        Story("slack-busy", _slack_busy, _PROMOTED),
        Story("double-click", _double_click),
        Story("second-failure", _second_failure, {SHOP: Outcome.ROLLED_BACK}),
        Story("foreign-change", _foreign_change),
        Story("way-back-deregistered", _last_good_deregistered, {SHOP: Outcome.ROLLED_BACK}),
        Story("shared-database", _shared_database, {SHOP: Outcome.SUCCEEDED}),
        Story("stopped-migration", _database_kept(600.0, stopped=True), _KEPT_AND_FREED),
        Story("endless-migration", _database_kept(2.5 * 3600, stopped=False), _KEPT_AND_FREED),
        Story("push-after-rollback", _push_after_rollback, {NEXT: Outcome.BLOCKED}),
        Story("retagged", _retagged(20.0), {SHOP: Outcome.SUCCEEDED}),
        Story("retagged-live", _retagged(1200.0), {SHOP: Outcome.SUCCEEDED}),
        Story("twice-pushed", _twice_pushed, {NEXT: Outcome.SUCCEEDED}),
    ]
    found = [*newer, *aborted, *cancelled, *others]
    return {story.name: story for story in found}


def busy(seed: int) -> Story:
    """One to four deployments at once, of both applications, with all that people may do."""

    def begin(run: Run) -> None:
        chance = random.Random(seed)
        answers: dict[str, str | None] = {}

        def decides(deployment_id: str) -> str | None:
            if deployment_id not in answers:
                answers[deployment_id] = chance.choices(["approve", "reject", None], [8, 1, 1])[0]
            return answers[deployment_id]

        second = chance.choice([None, None, "approve", "reject"])
        run.approver(decides, chance.uniform(5, 400), second)
        for number in range(2, 2 + chance.randint(1, 4)):
            image, tag = _some_image(chance, number)
            when = chance.choice([5.0, chance.uniform(0, 400)])
            run.at(when, partial(run.push, image, tag))
        _trouble(run, chance)

    return Story(f"busy-{seed}", begin)


def _some_image(chance: random.Random, number: int) -> tuple[Image, str]:
    repository, prefix = chance.choice(
        [("shop", "v"), ("shop", "v"), ("shop", "rc"), ("ledger", "v")]
    )
    how: dict[str, Any] = chance.choice(
        [{}, {}, {}, {"migration": 1}, {"exits": 1}, {"site": 500}, {"passes_checks": False}]
    )
    compatible = chance.random() < 0.7
    schema = f"s{number if chance.random() < 0.8 else 1}"
    version = f"{number}" if prefix == "v" else f"{number}-rc"
    # Longer than the patience with it, now and then.
    seconds = chance.choice([20.0] * 7 + [1200.0])
    image = Image(
        repository, version, schema, compatible=compatible, migration_seconds=seconds, **how
    )
    return image, f"{prefix}{number}"


def _trouble(run: Run, chance: random.Random) -> None:
    """What else may happen besides faults."""
    roll = chance.random()
    if roll < 0.1:
        run.cloud.rds.set_policy(fail_next=1)
    elif roll < 0.2:
        run.when(SHOP, chance.choice(PHASES), lambda: run.stop(SHOP))
    elif roll < 0.3:
        run.when(SHOP, chance.choice(PHASES), lambda: run.push(NEWER, "v33"))
    elif roll < 0.35:
        run.when(SHOP, "Migrate", lambda: run.stop(SHOP))
    elif roll < 0.5:
        run.when(SHOP, chance.choice(PHASES), lambda: run.operator.cancel(SHOP))
