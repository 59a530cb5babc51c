"""What `deploy`, `hold` and `lift` say of other releases, and in whose name they are recorded."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from slipway.domain.deployment import Phase
from slipway.domain.errors import Reason
from slipway.domain.failure import Failure
from slipway.domain.lane import Hold
from slipway.domain.outcome import Outcome
from tests.builders.documents import (
    NEW,
    OLD,
    OTHER,
    START,
    environment,
    image,
    release,
    stable,
    wish,
)
from tests.builders.terminals import Operator
from tests.builders.worlds import World

LANE = "notes/staging"
ID = "notes-staging-1"
DEPLOY = ("deploy", LANE, "--by", "ada", "--reason", "It cannot wait.")
ARN = "arn:aws:sts::000000000000:assumed-role/operators/ada"
HOLD = Hold(reason="RolledBack", message="/health answered 500.", by=ID, since=START)
FOURTH = f"sha256:{'d4' * 32}"


@pytest.fixture
def operator(capsys: pytest.CaptureFixture[str]) -> Operator:
    made = Operator(World(), capsys)
    for digest in (OTHER, FOURTH):
        made.world.registry.images["notes", digest] = image(digest)
    return made


@pytest.fixture
def asking(capsys: pytest.CaptureFixture[str]) -> Operator:
    """While v2 waiting for approval."""
    world = World(environment(approval={"approvers": ["ada"]}))
    world.registry.images["notes", OTHER] = image(OTHER)
    world.admit()
    world.plan()
    world.approve()
    return Operator(world, capsys)


def then(operator: Operator, change: Callable[[], None]) -> None:
    """Slipway goes on once the request is admitted."""
    sleep = operator._sleep

    def slept(seconds: float) -> None:
        sleep(seconds)
        change()

    operator._sleep = slept  # type: ignore[method-assign]


# ------------------------------------------------------------------------------------ replace


def test_a_request_says_first_what_it_would_replace_and_asks_for_nothing(asking: Operator) -> None:
    said = asking.refused(*DEPLOY, "--digest", OTHER)

    assert said == (
        "Nothing was started. notes-staging-1 (v2, sha256:b2b2b2b2b2b2) is waiting on "
        "notes/staging in phase AwaitingApproval and would be replaced by this request. To "
        f"replace it: operate deploy notes/staging --digest {OTHER} --reason ... "
        "--replace. To end it first: operate cancel notes-staging-1"
    )
    assert asking.world.announcements.published == []


def test_a_request_that_says_so_names_what_it_replaces(asking: Operator) -> None:
    assert asking.says(*DEPLOY, "--digest", OTHER, "--replace").splitlines() == [
        "This replaces notes-staging-1 (v2, sha256:b2b2b2b2b2b2), in phase AwaitingApproval.",
        "notes-staging-2 is deploying sha256:c3c3c3c3c3c3 (sha256:c3c3c3c3c3c3) to notes/staging.",
    ]
    assert asking.world.lane.superseded_by(ID) == "notes-staging-2"


def test_what_comes_to_wait_after_the_look_is_told_as_well(operator: Operator) -> None:
    recent = operator.world.records.recent

    def overtaken(*place: object) -> list[object]:
        operator.world.records.recent = recent  # type: ignore[method-assign]
        return []

    operator.world.records.recent = overtaken  # type: ignore[method-assign,assignment]
    publish = operator.world.announcements.publish

    def raced(what: str, detail: dict[str, str]) -> None:
        operator.world.announcements.publish = publish  # type: ignore[method-assign]
        operator.world.admit()
        publish(what, detail)

    operator.world.announcements.publish = raced  # type: ignore[method-assign]

    said = operator.refused(*DEPLOY, "--digest", OTHER)

    assert said.startswith("Nothing was started. notes-staging-1 (v2, sha256:b2b2b2b2b2b2) is ")


def test_a_request_for_what_waits_is_told_who_serves_it(asking: Operator) -> None:
    assert asking.says(*DEPLOY, "--tag", "v2") == (
        "notes-staging-1 is already under way with this release.\n"
    )
    assert asking.world.deployment.explicit is True


# ------------------------------------------------------------------- what starts, or does not


def test_a_request_for_what_is_live_says_so_and_deploys_it_again(operator: Operator) -> None:
    operator.world.rewrite_lane(stable=stable(digest=NEW))

    assert operator.says(*DEPLOY, "--tag", "v2").splitlines() == [
        "sha256:b2b2b2b2b2b2 is already live on notes/staging, since 2026-11-20 09:00:00 UTC; "
        "it is deployed again.",
        "notes-staging-1 is deploying v2 (sha256:b2b2b2b2b2b2) to notes/staging.",
    ]


def test_what_slipway_refuses_is_told_at_once_and_not_after_half_a_minute(
    operator: Operator,
) -> None:
    operator.world.registry.artifacts[NEW] = "a Helm chart"

    said = operator.refused(*DEPLOY, "--tag", "v2")

    assert said.startswith("Nothing was started. notes:v2 (sha256:b2b2b2b2b2b2) is not a container")
    assert operator.slept < 1


def test_a_gate_that_blocks_the_request_at_once_is_told(
    operator: Operator, capsys: pytest.CaptureFixture[str]
) -> None:
    def blocked() -> None:
        failure = Failure(
            state="Check", error="Rejected", reason="ScanFindings", message="3 CRITICAL findings."
        )
        operator.world.rewrite(outcome=Outcome.BLOCKED, phase=Phase.SETTLED, failure=failure)

    then(operator, blocked)

    assert operator.refused(*DEPLOY, "--tag", "v2") == (
        "notes-staging-1 ended as Blocked: 3 CRITICAL findings."
    )


def test_the_wait_ends_once_the_gates_have_passed(operator: Operator) -> None:
    then(operator, lambda: operator.world.rewrite(phase=Phase.AWAITING_LANE))

    operator.says(*DEPLOY, "--tag", "v2")

    assert operator.slept <= 1


def test_a_scan_that_takes_its_time_is_not_waited_for(operator: Operator) -> None:
    operator.says(*DEPLOY, "--tag", "v2")

    assert operator.slept <= 11


# ------------------------------------------------------------------------------ hold and lift


def test_a_second_hold_keeps_the_first_and_says_so(operator: Operator) -> None:
    operator.says("hold", LANE, "--by", "ada", "--message", "incident 42")
    operator.world.wait(hours=1)

    assert operator.says("hold", LANE, "--by", "grace", "--message", "me too").splitlines() == [
        "notes/staging has been on hold since 2026-11-21 09:00Z by ada: incident 42",
        "  That hold stays; your message is in its history. Lift it: operate lift notes/staging",
    ]
    lane = operator.world.lane
    assert lane.hold == Hold(reason="ByHand", message="incident 42", by="ada", since=START)
    assert [(one.by, one.message) for one in lane.hold_history] == [
        ("grace", "me too"),
        ("ada", "incident 42"),
    ]
    operator.says("lift", LANE, "--by", "ada")
    assert operator.world.lane.hold is None


def blocked_meanwhile(operator: Operator) -> World:
    """notes-staging-1 held the lane; four releases were stopped, two of them twice or bad."""
    world = operator.world
    pushes = [(NEW, "v2"), (OTHER, "v3"), (FOURTH, "v4"), (OTHER, "v3")]
    held = Failure(state="Check", error="Rejected", reason=Reason.HELD, message="on hold")
    for number, (digest, tag) in enumerate(pushes, start=1):
        at = START + timedelta(minutes=number)
        world.admit(wish(f"push:{number}", release=release(digest, tag, at)))
        world.deployment_id = f"notes-staging-{number}"
        world.rewrite(
            outcome=Outcome.BLOCKED, phase=Phase.SETTLED, failure=held, settled_at=at, cause=None
        )
    world.rewrite_lane(hold=HOLD, bad_digests={FOURTH: "notes-staging-0"})
    world.wait(hours=1)
    return world


def test_lifting_names_what_the_hold_has_stopped_with_the_command_to_start_it(
    operator: Operator,
) -> None:
    blocked_meanwhile(operator)

    assert operator.says("lift", LANE, "--by", "ada").splitlines() == [
        "notes/staging is no longer on hold.",
        "  sha256:d4d4d4d4d4d4 failed in notes-staging-0 and is still deployed only on request",
        "  The hold stopped v3 sha256:c3c3c3c3c3c3, notes-staging-4 on "
        "2026-11-21 09:04:00 UTC. To start it:",
        f"    operate deploy notes/staging --digest {OTHER} --reason ...",
        "  The hold stopped v2 sha256:b2b2b2b2b2b2, notes-staging-1 on "
        "2026-11-21 09:01:00 UTC. To start it:",
        f"    operate deploy notes/staging --digest {NEW} --reason ...",
    ]
    assert operator.world.announcements.published[-1][0] != "Deployment Requested"


def test_lifting_starts_the_newest_that_was_stopped_when_told_to(operator: Operator) -> None:
    world = blocked_meanwhile(operator)

    said = operator.says("lift", LANE, "--by", "ada", "--start").splitlines()

    assert said[-1] == "notes-staging-5 is deploying v3 (sha256:c3c3c3c3c3c3) to notes/staging."
    world.deployment_id = "notes-staging-5"
    assert (world.deployment.explicit, world.deployment.requested_by) == (True, "ada")
    assert world.evidence[0].message.endswith(
        " by ada: The hold by notes-staging-1 was lifted: /health answered 500."
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": Outcome.BLOCKED, "settled_at": START - timedelta(minutes=1)},
        {"outcome": Outcome.SUPERSEDED},
        {"outcome": Outcome.BLOCKED, "failure": None},
        {"outcome": Outcome.BLOCKED, "release": release(OLD)},
        {"outcome": None, "phase": Phase.PLANNING},
    ],
)
def test_lifting_names_nothing_that_the_hold_has_not_stopped(
    operator: Operator, changes: dict[str, object]
) -> None:
    world = operator.world
    world.admit()
    held = Failure(state="Check", error="Rejected", reason=Reason.HELD, message="on hold")
    settled = {"phase": Phase.SETTLED, "failure": held, "settled_at": START + timedelta(minutes=1)}
    world.rewrite(**{**settled, **changes})
    world.rewrite_lane(hold=HOLD)

    assert operator.says("lift", LANE, "--by", "ada", "--start").splitlines() == [
        "notes/staging is no longer on hold.",
        "  There is nothing to start: the hold stopped no release that is still current.",
    ]


def test_what_is_older_than_the_live_release_is_not_named(operator: Operator) -> None:
    world = blocked_meanwhile(operator)
    newer = release(f"sha256:{'e5' * 32}", "v5", START + timedelta(minutes=3.5))
    world.admit(wish("push:5", release=newer))
    world.rewrite_lane(stable=stable(deployment_id="notes-staging-5", digest=newer.digest))

    said = operator.says("lift", LANE, "--by", "ada")

    assert "v3 sha256:c3c3c3c3c3c3" in said
    assert "v2 sha256:b2b2b2b2b2b2" not in said


# --------------------------------------------------------------------------- in whose name


def test_the_callers_identity_is_recorded_beside_the_name(operator: Operator) -> None:
    operator.arn = ARN

    operator.says("hold", LANE, "--by", "mallory", "--message", "incident")

    assert operator.world.lane.hold_history[0].by.startswith("mallory (arn:aws:sts::0000")
    operator.says(*DEPLOY, "--tag", "v2")
    assert operator.world.deployment.requested_by == f"ada ({ARN})"
    operator.says("cancel", ID, "--by", "ada")
    assert operator.world.deployment.cancel_requested_by == f"ada ({ARN})"


def test_without_a_name_the_callers_identity_is_recorded(operator: Operator) -> None:
    operator.arn = ARN

    operator.says("deploy", LANE, "--tag", "v2", "--reason", "x")

    assert operator.world.deployment.requested_by == ARN


def test_without_a_name_and_without_an_identity_nothing_is_done(operator: Operator) -> None:
    assert operator.refused("hold", LANE, "--message", "incident") == (
        "Your AWS identity is not available (AWS did not answer); use --by NAME."
    )
    assert operator.world.lane.hold is None


@pytest.mark.parametrize("odd", ["mal\x1b[31mlory", "a\u202eda", "a\tb", "a\x00", "a\u2028b"])
def test_a_name_that_cannot_be_printed_is_refused(operator: Operator, odd: str) -> None:
    said = operator.not_understood("lift", LANE, "--by", odd)

    assert said.startswith("argument --by: expected printable characters, got '")
    assert said.isprintable()
