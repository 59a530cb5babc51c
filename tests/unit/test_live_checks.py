"""The checks are asked of what serves now: those that never worked roll good releases back."""

import shlex
from datetime import timedelta
from typing import Any

import pytest

from slipway.domain.approval import Answer
from slipway.domain.binding import judge_alarms
from slipway.domain.deployment import Origin
from slipway.domain.errors import Reason
from slipway.domain.gates import alarm_gate
from slipway.domain.outcome import Outcome
from slipway.domain.verdict import HttpAnswer, HttpRequest
from slipway.operate.arguments import parse
from tests.builders.documents import NEW, SETTINGS, START, URL, environment, wish
from tests.builders.worlds import World, caught, rejected

HEALTH = f"{URL}/health"


def planned(world: World | None = None, **wished: Any) -> World:
    world = world or World()
    world.answer_as("1.0.0")
    world.admit(wish(**wished))
    world.plan()
    return world


def gate(world: World) -> tuple[str, str]:
    """What the record says of the gate last."""
    entry = next(one for one in reversed(world.evidence) if one.what == "gate: checks")
    return entry.data["state"], entry.message


def test_checks_that_the_serving_release_answers_pass_whatever_version_it_reports() -> None:
    world = planned()

    assert world.check().done
    assert gate(world) == ("passed", "1 passed on the live release")
    assert world.website.asked == [HttpRequest(url=HEALTH)]


WRONG_PATH = HttpAnswer(url=HEALTH, status=404, body="not here")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (WRONG_PATH, "answered 404 instead of 200."),
        (
            HttpAnswer(url=HEALTH, status=0, body="SSLError: certificate verify failed"),
            "did not answer (SSLError: certificate verify failed).",
        ),
        (
            HttpAnswer(url=HEALTH, status=403, body="blocked by the firewall"),
            "answered 403 instead of 200.",
        ),
        (
            HttpAnswer(url=HEALTH, status=200, body="", answered_by=f"{URL}/login"),
            "redirects to /login, which is another page (it answered 200); check that path, or "
            "allow it with redirects_to in the catalog.",
        ),
    ],
)
def test_checks_that_fail_already_stop_the_deployment_before_anything_changes(
    answer: HttpAnswer, told: str
) -> None:
    world = planned()
    world.website.answers[HEALTH] = answer

    reason, message = rejected(world.check)

    assert (reason, message) == (
        Reason.CHECKS_FAIL_ALREADY,
        "These checks already fail on the live release, before anything was changed: "
        f"{HEALTH} {told} Correct verification in the catalog or, if the site is broken, request "
        f"the release explicitly: operate deploy notes/staging --digest {NEW} --reason ...",
    )
    assert world.settle(failure=caught("Check", "Rejected", f"{reason}: {message}")).outcome is (
        Outcome.BLOCKED
    )
    assert (world.lane.hold, world.lane.bad_digests) == (None, {})


def test_the_command_that_the_refusal_names_is_one_that_goes_through() -> None:
    world = planned()
    world.website.answers[HEALTH] = WRONG_PATH
    command = rejected(world.check)[1].rpartition("explicitly: ")[2]
    asked = parse([*shlex.split(command)[1:], "--by", "ada"])
    assert (asked.command, asked.digest) == ("deploy", NEW)

    again = World()
    again.website.answers[HEALTH] = WRONG_PATH
    again.admit(wish(explicit=True, origin=Origin.REQUEST))
    again.plan()

    assert again.check().done
    assert gate(again) == (
        "passed",
        f"already failing, allowed by an explicit request: {HEALTH} answered 404 instead of 200.",
    )


def test_a_field_of_the_version_is_not_demanded_of_the_release_that_serves_now() -> None:
    world = planned()
    world.website.answers[HEALTH] = HttpAnswer(url=HEALTH, status=200, body="no JSON")

    assert world.check().done


def test_a_blip_stops_no_deployment() -> None:
    world = planned()
    down = HttpAnswer(url=HEALTH, status=404, body="")
    world.website.in_turn = [down, down]

    assert world.check().done
    assert len(world.website.asked) == 3


def test_only_what_failed_is_asked_again() -> None:
    checks = [{"path": "/health"}, {"path": "/db"}]
    world = planned(World(environment(verification={"checks": checks})))
    world.website.answers[f"{URL}/db"] = HttpAnswer(url=f"{URL}/db", status=500, body="")

    reason, message = rejected(world.check)

    assert reason is Reason.CHECKS_FAIL_ALREADY
    assert HEALTH not in message
    assert [one.url for one in world.website.asked] == [HEALTH, *[f"{URL}/db"] * 3]


def test_on_a_lane_where_nothing_was_verified_there_is_nobody_to_ask() -> None:
    world = World()
    world.rewrite_lane(stable=None)
    world.website.answers.clear()
    world.admit()
    world.plan()

    assert world.check().done
    assert gate(world) == (
        "passed",
        "nothing was verified here before, so the checks were skipped",
    )
    assert world.website.asked == []


def test_without_checks_nothing_is_asked() -> None:
    world = planned(World(environment(verification={})))

    assert world.check().done
    assert gate(world) == ("passed", "none configured")


def test_the_checks_are_asked_again_once_the_lane_is_taken() -> None:
    approval = {"approvers": ["ada"], "expires_after_minutes": 60}
    world = planned(World(environment(approval=approval)))
    world.check()
    world.approve()
    world.decide(Answer.APPROVE)
    world.enter()
    world.wait(minutes=5)
    world.website.answers[HEALTH] = WRONG_PATH

    assert rejected(world.check)[0] is Reason.CHECKS_FAIL_ALREADY
    assert world.now == START + timedelta(minutes=5)
    assert not world.deployment.has_changed


def test_a_redirect_that_a_check_expects_is_asked_for_as_such() -> None:
    checks = [{"path": "/", "status": 302}, {"path": "/health"}]
    world = World(environment(verification={"checks": checks}))
    url = f"{URL}/"
    world.website.answers[url] = HttpAnswer(url=url, status=302, body="", location=f"{URL}/login")
    planned(world)

    assert world.check().done
    assert world.website.asked == [
        HttpRequest(url=url, follow=False),
        HttpRequest(url=HEALTH, follow=True),
    ]


def test_an_alarm_that_is_named_twice_is_asked_and_counted_once() -> None:
    gates = {"alarms": ["notes-5xx", "notes-slow", "notes-slow"]}
    world = planned(World(environment(gates=gates, verification=SETTINGS["verification"])))
    world.alarms.silent = ("notes-slow",)
    world.check()

    entry = next(one for one in world.evidence if one.what == "gate: alarms")
    assert entry.message == "2 quiet, of which notes-slow without data (INSUFFICIENT_DATA)"


def test_an_alarm_is_counted_once_by_whoever_names_it_twice() -> None:
    assert alarm_gate(("a", "a"), ()).message == "1 quiet"
    assert judge_alarms(["a", "a"], []).message == "1 alarms quiet"


def test_one_alarm_for_gate_and_verification_is_one() -> None:
    world = planned(World(environment(gates={"alarms": ["notes-5xx"]})))
    world.check()

    entry = next(one for one in world.evidence if one.what == "gate: alarms")
    assert entry.message == "1 quiet"


def test_however_many_checks_fail_what_is_told_has_a_bound() -> None:
    checks = [{"path": f"/{number}/{'x' * 300}"} for number in range(500)]
    world = planned(World(environment(verification={"checks": checks})))

    message = rejected(world.check)[1]
    assert len(message) < 3000
    assert message.endswith(f"--digest {NEW} --reason ...")
    assert max(len(entry.message) for entry in world.evidence) < 3000
