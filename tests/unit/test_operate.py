"""The operator's command line: what each command says and writes, and what it refuses."""

import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from slipway.domain.approval import Answer
from slipway.domain.catalog import Application, ApprovalPolicy, Catalog
from slipway.domain.deployment import Phase
from slipway.domain.errors import Broken, Reason, Transient
from slipway.domain.evidence import Evidence
from slipway.domain.lane import Hold
from slipway.domain.outcome import Outcome
from slipway.domain.target import EcsTarget
from slipway.operate.__main__ import main
from slipway.operate.lines import columns
from slipway.requests.wish import Wish
from tests.builders.documents import NEW, OLD, OTHER, START, environment, image, release, wish
from tests.builders.terminals import Operator
from tests.builders.worlds import World, caught

LANE = "notes/staging"
ID = "notes-staging-1"
DEPLOY = ("deploy", LANE, "--by", "ada", "--reason", "It cannot wait.")


@pytest.fixture
def operator(capsys: pytest.CaptureFixture[str]) -> Operator:
    return Operator(World(), capsys)


@pytest.fixture
def settled(capsys: pytest.CaptureFixture[str]) -> Operator:
    """After one success."""
    world = World().verified()
    world.wait(minutes=2, seconds=5)
    world.settle()
    return Operator(world, capsys)


@pytest.fixture
def asking(capsys: pytest.CaptureFixture[str]) -> Operator:
    """While an approval waits."""
    approval = ApprovalPolicy(approvers=("ada", "grace"), expires_after_minutes=60)
    world = World(environment(approval=approval.model_dump()))
    world.admit()
    world.plan()
    world.approve()
    return Operator(world, capsys)


def tamper(world: World, number: int, **changes: Any) -> None:
    """Change an entry of the record behind Slipway's back."""
    stored = world.records._stored
    place = ("evidence", f"{ID}#{number}")
    entry = Evidence.model_validate_json(stored[place])
    stored[place] = entry.model_copy(update=changes).model_dump_json()


# ------------------------------------------------------------------------------------- status


def test_status_tells_what_is_live_and_what_happened(settled: Operator) -> None:
    assert settled.says("status", LANE) == (
        "notes/staging\n"
        "  live    2.0.0 sha256:b2b2b2b2b2b2 by notes-staging-1, "
        "verified 2026-11-21 09:00:00 UTC\n"
        "  holder  none\n"
        "  newest  notes-staging-1\n"
        "  hold    none\n"
        "    notes-staging-1  Succeeded  v2 sha256:b2b2b2b2b2b2  2026-11-21 09:00:00 UTC  "
        "2 min 5 s  push of notes:v2\n"
    )


def test_status_tells_who_holds_the_lane_and_why_it_is_on_hold(operator: Operator) -> None:
    operator.world.entered()
    held = Hold(reason="ByHand", message="incident\n42", by="grace", since=START)
    operator.world.rewrite_lane(hold=held)
    operator.world.wait(seconds=30)

    said = operator.says("status", LANE).splitlines()

    assert said[2] == "  holder  notes-staging-1"
    assert said[4] == "  hold    ByHand since 2026-11-21 09:00:00 UTC by grace: incident 42"
    assert re.split(" {2,}", said[5].strip())[1:5] == [
        "AwaitingLane",
        "v2 sha256:b2b2b2b2b2b2",
        "2026-11-21 09:00:00 UTC",
        "30 s",
    ]


def test_status_tells_the_hold_that_a_failure_went_over(operator: Operator) -> None:
    by_hand = Hold(reason="ByHand", message="incident 42", by="ada", since=START)
    failed = Hold(reason="RolledBack", message="500", by=ID, since=START, earlier=by_hand)
    operator.world.rewrite_lane(hold=failed)

    assert operator.says("status", LANE).splitlines()[4] == (
        "  hold    RolledBack since 2026-11-21 09:00:00 UTC by notes-staging-1: 500; before that "
        "ByHand since 2026-11-21 09:00:00 UTC by ada: incident 42"
    )


def test_status_keeps_a_long_reason_short(operator: Operator) -> None:
    held = Hold(reason="NeedsOperator", message="word " * 100, by=ID, since=START)
    operator.world.rewrite_lane(hold=held)

    told = operator.says("status", LANE).splitlines()[4].partition(f"{ID}: ")[2]

    assert told == f"{'word ' * 31}..."


def test_status_does_not_call_live_what_nobody_has_looked_at(operator: Operator) -> None:
    held = Hold(reason="RollbackFailed", message="stuck", by="notes-staging-1", since=START)
    operator.world.rewrite_lane(hold=held)

    assert operator.says("status", LANE).splitlines()[1].startswith("  last good  1.0.0 ")


def test_status_tells_who_ended_the_last_hold(operator: Operator) -> None:
    operator.says("hold", LANE, "--by", "ada", "--message", "incident")
    operator.says("lift", LANE, "--by", "grace")

    assert operator.says("status", LANE).splitlines()[5] == (
        "          last lifted 2026-11-21 09:00:00 UTC by grace"
    )


def test_status_shows_ten_deployments_and_the_newest_first(operator: Operator) -> None:
    for number in range(1, 13):
        operator.world.admit(wish(f"push:{number}", release=release(f"sha256:{number:064x}")))

    rows = operator.says("status", LANE).splitlines()[5:]

    assert [row.split()[0] for row in rows] == [f"notes-staging-{n}" for n in range(12, 2, -1)]


@pytest.mark.parametrize("part", [(), ("notes",)])
def test_status_without_an_environment_tells_every_lane(
    operator: Operator, part: tuple[str, ...]
) -> None:
    blocks = operator.says("status", *part).split("\n\n")

    assert [block.splitlines()[0] for block in blocks] == ["notes/staging", "notes/production"]
    assert blocks[1].splitlines()[1:] == [
        "  live    nothing deployed by Slipway yet",
        "  holder  none",
        "  newest  none yet",
        "  hold    none",
    ]


def test_status_of_an_application_tells_no_other(operator: Operator) -> None:
    other = EcsTarget(cluster="shop", service="web", container="web")
    lanes = {"staging": operator.world.settings.model_copy(update={"target": other})}
    shop = Application(application="shop", environments=lanes)
    known = operator.world.catalog.applications
    operator.world.catalog = Catalog(applications={**known, "shop": shop})

    assert operator.says("status", "shop").splitlines()[0] == "shop/staging"
    assert "shop" not in operator.says("status", "notes")


def test_a_lane_that_has_left_the_catalog_is_still_told(operator: Operator) -> None:
    old = operator.world.lane.model_copy(update={"environment": "old", "version": 0})
    operator.world.records.write([old])

    assert operator.says("status", "notes/old").startswith("notes/old\n  live    1.0.0")


# --------------------------------------------------------------------------------------- show


def test_show_tells_outcome_release_and_timeline(settled: Operator) -> None:
    head, timeline = settled.says("show", ID).split("\n\n")

    assert head.splitlines() == [
        "notes-staging-1: Succeeded, 2 min 5 s",
        "  lane        notes/staging",
        f"  release     notes:v2 {NEW}",
        "  requested   2026-11-21 09:00:00 UTC by push of notes:v2 (push)",
        "  settled     2026-11-21 09:02:05 UTC",
        "  what to do  Nothing: the release is live and verified.",
        f"  record      {len(settled.world.evidence)} entries, chain intact",
    ]
    rows = timeline.splitlines()
    assert [row.split("  ")[1] for row in rows] == [
        *["2026-11-21 09:00:00 UTC"] * (len(rows) - 1),
        "2026-11-21 09:02:05 UTC",
    ]
    assert re.split(" {2,}", rows[0].strip()) == [
        "2026-11-21 09:00:00 UTC",
        "admitted",
        "v2 (sha256:b2b2b2b2b2b2) by push of notes:v2",
    ]
    assert rows[-1].split() == ["2026-11-21", "09:02:05", "UTC", "+2", "min", "5", "s", "settled"]


def test_show_tells_the_failure_and_the_log_behind_it(operator: Operator) -> None:
    world = operator.world.backed_up()
    world.migrate()
    world.task_ends("migrate", 1, "INFO 0002", "\x1b[31mERROR no such table")
    world.deployment_id = ID
    with pytest.raises(Exception, match="exit code 1"):
        world.migrate()
    world.settle(failure=caught("Migrate", "Unhealthy", "MigrationFailed: exit code 1"))

    said = operator.says("show", ID).splitlines()

    assert "  failure     MigrationFailed in Migrate: exit code 1" in said
    assert said[said.index("      | INFO 0002") + 1] == "      | ERROR no such table"


def test_show_tells_what_made_it_roll_back_and_what_ended_it(operator: Operator) -> None:
    operator.world.deployed()
    cause = caught("Verify", "Unhealthy", "ReleaseUnhealthy: /health answered 500.")
    failure = caught("Rollback", "Transient", "RollbackTimedOut: no end after 30 minutes")
    operator.world.settle(cause=cause, failure=failure)

    assert operator.says("show", ID).splitlines()[5:7] == [
        "  cause       ReleaseUnhealthy in Verify: /health answered 500.",
        "  failure     RollbackTimedOut in Rollback: no end after 30 minutes",
    ]


def test_show_tells_the_same_failure_once(operator: Operator) -> None:
    operator.world.deployed()
    cause = caught("Verify", "Broken", "InternalError: stuck")
    operator.world.settle(cause=cause, failure=cause)

    assert operator.says("show", ID).count("InternalError in Verify: stuck") == 1


def test_text_of_others_stays_in_its_line() -> None:
    hostile = "one\n\ttwo \x1b[0m\u202e redis://:PW@cache"

    assert columns([(hostile,)]) == ["  one two \\u202e redis://***@cache"]


def test_show_tells_whether_the_execution_of_a_running_deployment_runs(operator: Operator) -> None:
    operator.world.entered()
    assert "\n  execution  running\n" in operator.says("show", ID)

    operator.world.executions.ended.add(ID)
    assert "  execution  ended without an outcome; the next sweep" in operator.says("show", ID)

    operator.world.executions.started.clear()
    assert "  execution  not started; the next sweep starts it" in operator.says("show", ID)


def test_show_tells_a_broken_chain_and_who_wants_to_cancel(operator: Operator) -> None:
    operator.world.entered()
    operator.says("cancel", ID, "--by", "ada")
    tamper(operator.world, 2, message="nothing to see")

    said = operator.says("show", ID)

    assert "\n  cancel     requested by ada\n" in said
    assert "entries, entry 2 was changed after it was written\n" in said


# ------------------------------------------------------------------------------------- deploy


def test_a_deployment_is_asked_for_by_the_digest_that_a_tag_names(operator: Operator) -> None:
    assert operator.says(*DEPLOY, "--tag", "v2") == (
        "notes-staging-1 is deploying v2 (sha256:b2b2b2b2b2b2) to notes/staging.\n"
    )
    assert operator.world.announcements.published == [
        (
            "Deployment Requested",
            {
                "application": "notes",
                "environment": "staging",
                "repository": "notes",
                "digest": NEW,
                "tag": "v2",
                "requested_by": "ada",
                "reason": "It cannot wait.",
                "request_id": "request-1",
            },
        )
    ]
    deployment = operator.world.deployment
    assert (deployment.explicit, deployment.requested_by) == (True, "ada")
    assert operator.world.evidence[0].message.endswith(" by ada: It cannot wait.")


def test_a_request_says_where_the_schema_was_moved_by_hand(operator: Operator) -> None:
    operator.says(*DEPLOY, "--tag", "v2", "--schema-at", "0001")

    assert operator.world.announcements.published[0][1]["schema_at"] == "0001"
    assert operator.world.deployment.schema_at == "0001"
    assert operator.world.evidence[0].message.endswith(
        " by ada: It cannot wait.; says that the schema is at 0001"
    )


def test_an_earlier_release_is_asked_for_by_digest_under_its_tag(operator: Operator) -> None:
    world = operator.world
    world.registry.images[("notes", OTHER)] = image(OTHER)
    world.admit(wish(release=release(OTHER, "v1.9")))
    world.rewrite(outcome=Outcome.SUPERSEDED)

    assert operator.says(*DEPLOY, "--digest", OTHER) == (
        "notes-staging-2 is deploying v1.9 (sha256:c3c3c3c3c3c3) to notes/staging.\n"
    )


def test_a_digest_that_was_never_deployed_is_called_by_itself(operator: Operator) -> None:
    assert operator.says(*DEPLOY, "--digest", NEW).startswith(
        "notes-staging-1 is deploying sha256:b2b2b2b2b2b2 (sha256:"
    )


def test_an_image_that_is_not_there_is_not_asked_for(operator: Operator) -> None:
    assert operator.refused(*DEPLOY, "--tag", "v9") == (
        "The ECR repository 'notes' has no image v9. `aws ecr describe-images "
        "--repository-name notes` lists its images."
    )
    assert operator.world.announcements.published == []


def test_a_request_that_nobody_admits_is_told_after_half_a_minute(operator: Operator) -> None:
    operator.listens = False

    assert operator.refused(*DEPLOY, "--tag", "v2") == (
        "The request request-1 was sent, but not admitted within 30 s. "
        "Check the log of Slipway's admit function."
    )
    assert operator.slept == 30


# ------------------------------------------------------------------------- cancel, hold, lift


def test_a_deployment_that_has_changed_nothing_is_cancelled(operator: Operator) -> None:
    operator.world.entered()

    assert operator.says("cancel", ID, "--by", "ada") == (
        "Cancelling notes-staging-1 in phase AwaitingLane: it ends before it changes anything.\n"
    )
    assert operator.world.deployment.cancel_requested_by == "ada"
    assert operator.world.announcements.published[-1][0] == "Cancel Requested"


def test_a_deployment_that_has_changed_something_is_taken_back(operator: Operator) -> None:
    operator.world.deployed()

    assert operator.says("cancel", ID, "--by", "ada").endswith(
        "in phase Deploying: its changes are rolled back.\n"
    )


def test_what_has_ended_is_not_cancelled(settled: Operator) -> None:
    assert settled.refused("cancel", ID, "--by", "ada") == (
        "notes-staging-1 has ended: Succeeded. To go back to sha256:a1a1a1a1a1a1, request it: "
        f"operate deploy notes/staging --digest {OLD} --reason ..."
    )


def test_a_lane_is_held_and_the_hold_is_lifted(operator: Operator) -> None:
    operator.world.rewrite_lane(bad_digests={NEW: "notes-staging-0"})

    assert operator.says("hold", LANE, "--by", "ada", "--message", "incident") == (
        "notes/staging is on hold. Until the hold is lifted, only releases that somebody requests "
        "are deployed.\n"
    )
    assert operator.world.lane.hold == Hold(
        reason="ByHand", message="incident", by="ada", since=START
    )
    operator.world.wait(hours=1)
    assert operator.says("lift", LANE, "--by", "grace") == (
        "notes/staging is no longer on hold.\n"
        "  sha256:b2b2b2b2b2b2 failed in notes-staging-0 and is still deployed only on request\n"
    )
    assert operator.world.lane.hold is None
    assert [(one.what, one.by, one.at) for one in operator.world.lane.hold_history] == [
        ("lifted", "grace", START + timedelta(hours=1)),
        ("held", "ada", START),
    ]


def test_a_lane_that_is_not_held_is_not_lifted(operator: Operator) -> None:
    assert operator.refused("lift", LANE, "--by", "ada") == (
        "notes/staging is not on hold: there is nothing to lift."
    )


def test_a_lane_can_be_held_before_its_first_deployment(operator: Operator) -> None:
    operator.says("hold", "notes/production", "--by", "ada", "--message", "not yet")

    assert operator.world.records.lane("notes", "production").hold is not None


# ----------------------------------------------------------------------------- verify-records


def test_a_whole_record_is_told(settled: Operator) -> None:
    count = len(settled.world.evidence)

    assert settled.says("verify-records", ID) == (f"{ID}: {count} entries, chain intact\n")
    assert settled.says("verify-records", "--all") == (
        f"1 record with {count} entries: all chains intact.\n"
    )


def test_a_changed_entry_is_told(settled: Operator) -> None:
    tamper(settled.world, 2, message="nothing to see")

    assert settled.refused("verify-records", ID) == (
        f"{ID}: entry 2 was changed after it was written."
    )


def test_every_broken_record_is_told_before_the_end(settled: Operator, capsys: Any) -> None:
    settled.world.admit(wish("push:2", release=release(OTHER)))
    settled.world.admit(wish("push:3", release=release(OLD)))
    tamper(settled.world, 2, message="nothing to see")
    del settled.world.records._stored["deployment", "notes-staging-2"]

    assert main(["verify-records", "--all"], connect=settled.desk) == 1

    said = capsys.readouterr()
    assert said.out == (
        f"{ID}: entry 2 was changed after it was written\n"
        "notes-staging-2: the deployment is missing\n"
    )
    assert said.err == "Broken: 2 of 3 records.\n"


def test_a_record_that_was_cut_short_is_told(settled: Operator) -> None:
    count = len(settled.world.evidence)
    del settled.world.records._stored["evidence", f"{ID}#{count}"]

    assert settled.refused("verify-records", ID) == (
        f"{ID}: {count - 1} entries, but {count} were written."
    )


def test_a_deployment_that_its_lane_does_not_know_is_told(settled: Operator) -> None:
    del settled.world.records._stored["lane", LANE]

    assert settled.refused("verify-records", "--all") == "Broken: 1 of 1 record."
    settled.world.rewrite_lane(next_number=1)
    assert settled.refused("verify-records", "--all") == "Broken: 1 of 1 record."


def test_a_missing_deployment_is_told(operator: Operator) -> None:
    assert operator.refused("verify-records", ID) == f"{ID}: the deployment is missing."


def test_an_entry_that_cannot_be_read_is_told(settled: Operator) -> None:
    settled.world.records._stored["evidence", f"{ID}#1"] = "{}"

    assert settled.refused("verify-records", ID).startswith(f"{ID}: unreadable: ")
    assert settled.refused("show", ID) == (
        "The record is not valid for this version of Slipway (Evidence)."
    )


def test_a_record_that_grows_while_it_is_read_is_read_again(operator: Operator) -> None:
    world = operator.world.entered()
    evidence = world.records.evidence
    looks: list[int] = []

    def growing(deployment_id: str) -> list[Evidence]:
        looks.append(len(looks))
        if len(looks) == 1:
            world.backup()
        return evidence(deployment_id)

    world.records.evidence = growing  # type: ignore[method-assign]

    assert operator.says("verify-records", ID).endswith(", chain intact\n")
    assert looks == [0, 1]


def test_a_record_that_never_stands_still_is_refused_for_now(operator: Operator) -> None:
    world = operator.world.entered()
    evidence = world.records.evidence

    def growing(deployment_id: str) -> list[Evidence]:
        world.rewrite()
        return evidence(deployment_id)

    world.records.evidence = growing  # type: ignore[method-assign]

    assert operator.refused("verify-records", ID) == (
        "notes-staging-1 keeps changing; try again in a moment."
    )


# ------------------------------------------------------------------------------------ waiting


def test_what_waits_for_a_person_is_told_with_the_time_left(asking: Operator) -> None:
    asking.world.wait(minutes=48, seconds=30)

    assert asking.says("waiting") == (
        "notes-staging-1  11 min 30 s left  until 2026-11-21 10:00:00 UTC  "
        "v2 sha256:b2b2b2b2b2b2  for ada or grace\n"
    )


def test_an_approval_that_has_expired_is_told_as_such(asking: Operator) -> None:
    asking.world.wait(minutes=60)

    assert "  expired, ends at the next check  " in asking.says("waiting")


def test_the_approval_that_ends_first_is_on_top(asking: Operator) -> None:
    world = asking.world
    world.wait(minutes=5)
    world.deployment_id = "notes-staging-2"
    world.registry.images["notes", OTHER] = image(OTHER)
    world.admit(wish("push:2", release=release(OTHER)))
    world.plan()
    world.approve()

    rows = asking.says("waiting").splitlines()

    assert [row.split()[0] for row in rows] == ["notes-staging-1", "notes-staging-2"]


def test_a_decided_approval_waits_no_more(asking: Operator) -> None:
    asking.world.decide(Answer.APPROVE)

    assert asking.says("waiting") == "No open approvals.\n"


def test_an_approval_of_a_deployment_that_has_moved_on_waits_no_more(asking: Operator) -> None:
    asking.world.rewrite(phase=Phase.AWAITING_LANE)

    assert asking.says("waiting") == "No open approvals.\n"


def test_a_deployment_that_waits_for_something_else_waits_for_no_person(
    operator: Operator,
) -> None:
    operator.world.entered()

    assert operator.says("waiting") == "No open approvals.\n"


# ----------------------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    "command",
    [
        ("status",),
        ("hold", "--by", "ada", "--message", "incident"),
        ("lift", "--by", "ada"),
        ("deploy", "--by", "ada", "--reason", "x", "--tag", "v2"),
    ],
)
def test_a_lane_that_nobody_knows_is_refused(operator: Operator, command: tuple[str, ...]) -> None:
    verb, *options = command

    assert operator.refused(verb, "notes/stagin", *options) == (
        "The catalog has no notes/stagin (known: staging, production)."
    )
    assert operator.refused(verb, "note/staging", *options) == (
        "The catalog has no application 'note' (known: notes)."
    )
    assert operator.world.records.lane("notes", "stagin").version == 0


def test_an_application_that_nobody_knows_has_no_status(operator: Operator) -> None:
    assert operator.refused("status", "note") == (
        "The catalog has no application 'note' (known: notes)."
    )


@pytest.mark.parametrize("command", [("show",), ("cancel", "--by", "ada")])
def test_a_deployment_that_nobody_knows_is_refused(
    operator: Operator, command: tuple[str, ...]
) -> None:
    verb, *options = command

    assert operator.refused(verb, ID, *options) == "There is no deployment 'notes-staging-1'."


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            Broken(Reason.AWS_REFUSED, "GetItem: The security token has expired."),
            "GetItem: The security token has expired.",
        ),
        (Transient(Reason.AWS_UNAVAILABLE, "AWS did not answer."), "AWS did not answer."),
        (KeyboardInterrupt(), "Interrupted. Requests that were already sent stay in effect."),
    ],
)
def test_whatever_aws_refuses_is_one_sentence(
    operator: Operator, error: BaseException, told: str
) -> None:
    def refuse(*names: str) -> None:
        raise error

    operator.world.records.lane = refuse  # type: ignore[method-assign,assignment]

    assert operator.refused("status", LANE) == told


def test_a_reader_that_goes_away_is_no_accident() -> None:
    program = (
        "import sys; from slipway.operate import __main__ as command; "
        "command._run = lambda options, desk: ['a line'] * 100_000; "
        "sys.exit(command.main(['waiting'], connect=lambda stack, catalog: None))"
    )
    core = Path(__file__).parents[2] / "layers" / "core"

    ended = subprocess.run(
        ["sh", "-c", f'{sys.executable} -c "{program}" | head -n 1'],
        env={**os.environ, "PYTHONPATH": str(core)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.stdout, ended.stderr) == ("a line\n", "")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("status", "Notes"), "argument APP[/ENV]: expected APP or APP/ENV, got 'Notes'"),
        (("hold", "notes", "--by", "a", "--message", "m"), "argument APP/ENV: expected APP/ENV, "),
        (("show", "notes"), "argument ID: expected a deployment ID such as shop-production-7, "),
        ((*DEPLOY, "--digest", "v2"), "argument --digest: expected sha256: and 64 hex digits, "),
        ((*DEPLOY, "--tag", "a b"), "argument --tag: expected an image tag, got 'a b'"),
        (DEPLOY, "one of the arguments --digest --tag is required"),
        ((*DEPLOY, "--tag", "v2", "--digest", NEW), "argument --digest: not allowed with "),
        (("deploy", LANE, "--tag", "v2", "--by", "ada"), "the following arguments are required: "),
        (("lift", LANE, "--by", " "), "argument --by: expected a name of 1 to 100 characters, "),
        (("lift", LANE, "--by", "a\u202eb"), "argument --by: expected printable characters, got "),
        (("cancel", ID, "--by", "\x1b[1mx"), "argument --by: expected printable characters, got "),
        (
            ("hold", LANE, "--message", "a\nb"),
            "argument --message: expected printable characters, got 'a b'",
        ),
        (("verify-records",), "verify-records: expected a deployment ID or --all"),
        (("verify-records", ID, "--all"), "verify-records: expected a deployment ID "),
        ((), "the following arguments are required: COMMAND"),
        (("undo",), "argument COMMAND: invalid choice: 'undo'"),
    ],
)
def test_what_is_not_understood_is_told_with_what_was_expected(
    operator: Operator, arguments: tuple[str, ...], told: str
) -> None:
    assert operator.not_understood(*arguments).startswith(told)


def test_a_wish_without_a_reason_is_told_as_before() -> None:
    assert Wish.model_validate(wish().model_dump(exclude={"reason"})) == wish()
