"""The waiting room: parked before anything is looked at, answered once, woken by hints."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from slipway.domain.errors import (
    Broken,
    ControlPlaneError,
    Reason,
    Rejected,
    Transient,
    Unhealthy,
)
from slipway.ports.waiting import Parked
from slipway.runtime.waiting import Check, Step, Waiting
from slipway.steps.step import StepRequest, StepResult
from slipway.waits import Key, deployment_key, snapshot_key
from tests.builders.documents import START
from tests.builders.fakes.waiting import InMemoryParking, InMemoryTokens

REQUEST = {"deployment_id": "notes-staging-1", "lane": "notes/staging"}
WAITS = StepResult(done=False, reason=Reason.WAITING, message="still running")
DONE = StepResult(done=True, reason=Reason.VERIFIED, message="all is well")
EVENT = {"detail-type": "RDS DB Snapshot Event"}
SNAPSHOT, DEPLOYMENT = snapshot_key("s-1"), deployment_key("notes-staging-1")
KEYS = ("backup:snapshot:s-1", "backup:deployment:notes-staging-1")
Look = Callable[[], StepResult]


class Room:
    """A waiting room with one step, whose looks a test scripts."""

    def __init__(self, *looks: StepResult | Exception | Look) -> None:
        self.parking = InMemoryParking()
        self.tokens = InMemoryTokens()
        self.looks = list(looks)
        self.looked: list[str] = []
        self.waiting = Waiting(parking=self.parking, tokens=self.tokens, now=lambda: START)
        self.step = Step(
            name="backup",
            request=StepRequest,
            keys=lambda request: (SNAPSHOT, deployment_key(request.deployment_id)),
            look=self._look,
        )

    def _look(self, request: StepRequest) -> StepResult:
        self.looked.append(request.deployment_id)
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(look, Exception):
            raise look
        return look if isinstance(look, StepResult) else look()

    def call(
        self, token: str | None = "token-1", deployment: str = "notes-staging-1"
    ) -> list[Check]:
        request = {**REQUEST, "deployment_id": deployment}
        return self.waiting.serve(self.step, {"request": request, "task_token": token}, ())

    def wake(self, *keys: Key) -> list[Check]:
        return self.waiting.serve(self.step, EVENT, keys)

    def parked(self) -> dict[str, list[str]]:
        """Who waits, by key."""
        found = {key: self.parking.parked_under(key) for key in KEYS}
        return {key: [one.token for one in parked] for key, parked in found.items() if parked}


def found(result: StepResult) -> Check:
    return Check(
        deployment_id="notes-staging-1",
        done=result.done,
        reason=result.reason,
        message=result.message,
    )


def test_a_call_is_parked_under_every_key_before_anything_is_looked_at() -> None:
    room = Room(WAITS)
    seen: list[dict[str, list[str]]] = []

    def look() -> StepResult:
        seen.append(room.parked())
        return WAITS

    room.looks = [look]

    assert room.call() == [found(WAITS)]
    assert seen == [{key: ["token-1"] for key in KEYS}]
    assert room.parked() == {key: ["token-1"] for key in KEYS}
    assert room.tokens.answered == {}


def test_what_is_parked_is_the_whole_request_and_is_cleaned_up_after_a_month() -> None:
    room = Room(WAITS)
    room.call()

    assert room.parking.parked_under(KEYS[0]) == [
        Parked(
            key=KEYS[0],
            waiting_id="notes-staging-1",
            token="token-1",
            request='{"deployment_id":"notes-staging-1","lane":"notes/staging"}',
            expires_at=START + timedelta(days=30),
        )
    ]


def test_a_step_that_is_done_at_once_is_answered_and_leaves() -> None:
    room = Room(DONE)

    assert room.call() == [found(DONE)]
    assert room.tokens.answered == {"token-1": DONE.model_dump_json()}
    assert room.parked() == {}


@pytest.mark.parametrize("kind", [Rejected, Unhealthy, Broken])
def test_a_final_refusal_is_answered_with_its_class_name_and_leaves(
    kind: type[ControlPlaneError],
) -> None:
    room = Room(kind(Reason.BACKUP_FAILED, "the quota is used up"))

    assert room.call() == [
        Check(
            deployment_id="notes-staging-1",
            done=True,
            reason=Reason.BACKUP_FAILED,
            message="the quota is used up",
        )
    ]
    assert room.tokens.answered == {
        "token-1": f"{kind.__name__}: BackupFailed: the quota is used up"
    }
    assert room.parked() == {}


def test_a_refusal_of_any_length_is_one_that_step_functions_takes() -> None:
    room = Room(Broken(Reason.AWS_REFUSED, "x" * 300_000))
    room.call()

    assert len(room.tokens.answered["token-1"]) < 32_768


def test_a_transient_refusal_stays_parked_and_is_raised_for_the_retry() -> None:
    room = Room(Transient(Reason.AWS_UNAVAILABLE, "503"))

    with pytest.raises(Transient):
        room.call()
    assert room.tokens.answered == {}
    assert room.parked() == {key: ["token-1"] for key in KEYS}


def test_an_accident_stays_parked_and_is_raised() -> None:
    room = Room(KeyError("plan"))

    with pytest.raises(KeyError):
        room.call()
    assert (room.tokens.answered, len(room.parked())) == ({}, 2)


def test_a_record_that_moved_meanwhile_is_looked_at_again_at_once() -> None:
    moved = Transient(Reason.RECORD_MOVED, "moved")
    room = Room(moved, moved, DONE)

    assert room.call() == [found(DONE)]
    assert len(room.looked) == 3


def test_a_record_that_moves_without_end_is_given_back_to_the_retry() -> None:
    room = Room(Transient(Reason.RECORD_MOVED, "moved"))

    with pytest.raises(Transient) as busy:
        room.call()
    assert busy.value.message == "notes-staging-1 is being written too often."
    assert len(room.looked) == 6


@pytest.mark.parametrize("key", [SNAPSHOT, DEPLOYMENT])
def test_an_event_takes_the_same_look_and_answers_the_token_that_waits(key: Key) -> None:
    room = Room(WAITS, DONE)
    room.call()

    assert room.wake(key) == [found(DONE)]
    assert room.tokens.answered == {"token-1": DONE.model_dump_json()}
    assert room.parked() == {}


def test_an_event_is_only_a_hint() -> None:
    room = Room(WAITS)
    room.call()

    assert room.wake(SNAPSHOT) == [found(WAITS)]
    assert room.parked() == {key: ["token-1"] for key in KEYS}


def test_an_event_that_names_two_of_its_keys_takes_one_look() -> None:
    room = Room(WAITS)
    room.call()

    room.wake(SNAPSHOT, DEPLOYMENT)

    assert len(room.looked) == 2


def test_an_event_for_nobody_looks_at_nothing() -> None:
    room = Room(WAITS)
    room.call()

    assert room.wake(snapshot_key("other")) == []
    assert room.wake() == []
    assert len(room.looked) == 1


def test_an_event_for_another_step_of_the_same_deployment_is_not_ours() -> None:
    room = Room(WAITS)
    room.call()
    other = Step(name="deploy", request=StepRequest, keys=room.step.keys, look=room.step.look)

    assert room.waiting.serve(other, EVENT, [DEPLOYMENT]) == []


def test_everybody_who_waits_for_a_key_is_woken() -> None:
    room = Room(WAITS, WAITS, DONE)
    room.call("token-1")
    room.call("token-2", "notes-staging-2")

    room.wake(SNAPSHOT)

    assert set(room.tokens.answered) == {"token-1", "token-2"}


def test_one_that_has_to_be_called_again_keeps_no_other_from_being_woken() -> None:
    room = Room(WAITS, WAITS, Transient(Reason.AWS_UNAVAILABLE, "busy"), DONE)
    room.call("token-1", "notes-staging-1")
    room.call("token-2", "notes-staging-2")

    with pytest.raises(Transient):
        room.wake(SNAPSHOT)

    assert list(room.tokens.answered) == ["token-2"]
    assert [parked.token for parked in room.parking.parked_under(KEYS[0])] == ["token-1"]


def test_an_event_before_parking_is_not_missed() -> None:
    # The world ends its work between the wish and the parking; the event finds nobody.
    room = Room(DONE)
    assert room.wake(SNAPSHOT) == []

    assert room.call() == [found(DONE)]


def test_a_second_try_of_the_state_takes_the_place_of_the_first() -> None:
    room = Room(WAITS, WAITS, DONE)
    room.call("token-1")
    room.call("token-2")
    assert room.parked() == {key: ["token-2"] for key in KEYS}

    room.wake(SNAPSHOT)

    assert set(room.tokens.answered) == {"token-2"}


@pytest.mark.parametrize("look", [DONE, Unhealthy(Reason.MIGRATION_FAILED, "exit code 1")])
def test_a_token_that_is_dead_is_left_without_a_sound(look: StepResult | Exception) -> None:
    room = Room(look)
    room.tokens.gone.add("token-1")

    assert room.call()[0].done
    assert (room.tokens.answered, room.parked()) == ({}, {})


def test_an_old_look_that_ends_late_does_not_push_the_new_try_out() -> None:
    room = Room(WAITS)
    room.call("token-1")

    def late() -> StepResult:
        room.tokens.gone.add("token-1")
        room.looks = [WAITS]
        room.call("token-2")
        return DONE

    room.looks = [late]
    room.wake(SNAPSHOT)

    assert room.parked() == {key: ["token-2"] for key in KEYS}


def test_a_duplicate_event_after_the_answer_looks_at_nothing() -> None:
    room = Room(WAITS, DONE)
    room.call()
    room.wake(SNAPSHOT)

    assert room.wake(SNAPSHOT) == []
    assert len(room.looked) == 2


def test_an_answer_that_step_functions_did_not_take_is_given_again() -> None:
    room = Room(WAITS, DONE)
    room.call()
    answer = room.tokens.success

    def lost(token: str, output: str) -> bool:
        room.tokens.success = answer  # type: ignore[method-assign]
        raise Transient(Reason.AWS_UNAVAILABLE, "SendTaskSuccess: 503")

    room.tokens.success = lost  # type: ignore[method-assign]

    with pytest.raises(Transient):
        room.wake(SNAPSHOT)
    room.wake(SNAPSHOT)

    assert set(room.tokens.answered) == {"token-1"}


def test_without_a_token_the_look_is_all_there_is() -> None:
    room = Room(WAITS)

    assert room.call(None) == [found(WAITS)]
    assert (room.parked(), room.tokens.answered) == ({}, {})


def test_without_a_token_a_refusal_is_raised() -> None:
    room = Room(Rejected(Reason.HELD, "on hold"))

    with pytest.raises(Rejected):
        room.call(None)


@pytest.mark.parametrize(
    "event",
    [{}, {"request": {}}, {"request": REQUEST, "task_token": 5}, {"request": [], "more": 1}],
)
def test_what_is_no_call_is_refused_before_anything_is_parked(event: dict[str, Any]) -> None:
    room = Room(DONE)

    with pytest.raises(ValueError, match="validation error"):
        room.waiting.serve(room.step, event, ())
    assert (room.parked(), room.looked) == ({}, [])
