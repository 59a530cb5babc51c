"""The clocks, the event sink and the delivery that all models stand on."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug import Request, Response
from werkzeug.serving import make_server

from cloud.live.door import EventDoor
from cloud.twin.calls import caller_of
from cloud.twin.clock import LiveClock, VirtualClock
from cloud.twin.events import EventSink, Policy
from tests.integration.twin.live_cloud import wait_for


def event(number: int, detail_type: str = "A") -> dict[str, Any]:
    return {"id": str(number), "detail-type": detail_type, "detail": {}}


class Sink:
    """A sink in virtual time and what it delivered."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.delivered: list[str] = []
        self.sink = EventSink(self.clock, lambda each: self.delivered.append(each["id"]))


def test_virtual_time_runs_actions_in_order_of_time_and_of_asking() -> None:
    clock, seen = VirtualClock(), []
    clock.call_later(2, lambda: seen.append("c"))
    clock.call_later(1, lambda: seen.append("a"))
    clock.call_later(1, lambda: seen.append("b"))
    clock.run_for(1)
    assert (seen, clock.elapsed) == (["a", "b"], 1)
    assert clock.run_until(lambda: "c" in seen)
    assert not clock.run_next()


def test_virtual_time_ends_where_the_limit_is() -> None:
    clock = VirtualClock()
    clock.call_later(100, lambda: None)
    assert not clock.run_until(lambda: False, limit_seconds=50)
    assert clock.elapsed == 0


def test_a_live_clock_divides_intervals_by_its_speed_and_survives_a_broken_action() -> None:
    clock = LiveClock(speed=100.0)
    done = threading.Event()
    try:
        begun = time.monotonic()
        clock.call_later(0, lambda: 1 / 0)  # type: ignore[arg-type]
        clock.call_later(10, done.set)
        assert done.wait(5)
        assert 0.1 <= time.monotonic() - begun < 2
    finally:
        clock.stop()


def test_events_are_delivered_in_order_without_a_policy() -> None:
    sink = Sink()
    for number in range(3):
        sink.sink(event(number))
    assert sink.delivered == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("policy", "at_once", "later"),
    [
        (Policy(drop=True), ["1"], ["1"]),
        (Policy(copies=2), ["0", "0", "0", "1"], ["0", "0", "0", "1"]),
        (Policy(delay_seconds=60), ["1"], ["1", "0"]),
        (Policy(delay_seconds=60, copies=1), ["1"], ["1", "0", "0"]),
    ],
)
def test_a_policy_loses_delays_and_repeats_events_of_its_type(
    policy: Policy, at_once: list[str], later: list[str]
) -> None:
    sink = Sink()
    sink.sink.set_policy("A", policy)
    sink.sink(event(0, "A"))
    sink.sink(event(1, "B"))
    assert sink.delivered == at_once
    sink.clock.run_for(61)
    assert sink.delivered == later


def test_a_policy_holds_only_for_events_that_contain_its_text() -> None:
    sink = Sink()
    sink.sink.set_policy("A", Policy(drop=True, remaining=1, containing="orders"))

    for number, name in enumerate(("notes", "orders", "orders")):
        sink.sink({**event(number), "detail": {"service": name}})

    assert sink.delivered == ["0", "2"]


def test_a_policy_holds_for_as_many_events_as_it_says_or_until_it_is_lifted() -> None:
    sink = Sink()
    sink.sink.set_policy("*", Policy(drop=True, remaining=1))
    sink.sink(event(0))
    sink.sink(event(1))
    sink.sink.set_policy("A", Policy(drop=True))
    sink.sink(event(2))
    sink.sink.set_policy("A", None)
    sink.sink(event(3))
    assert sink.delivered == ["1", "3"]
    assert [each["id"] for each in sink.sink.emitted] == ["0", "1", "2", "3"]


class Door:
    """An event door that is broken for its first requests."""

    def __init__(self, broken: int) -> None:
        self.seen: list[str] = []
        self._broken = broken
        self.server = make_server("127.0.0.1", 0, self._application, threaded=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.port}/events"

    def _application(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        body = json.loads(request.get_data())
        self._broken -= 1
        status = 503 if self._broken >= 0 else 202
        if status == 202:
            self.seen.append(body["id"])
        return Response(status=status)(environ, start_response)


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door(broken=3)
    yield door
    door.server.shutdown()
    door.server.server_close()


def test_events_are_kept_in_order_while_the_door_is_not_ready(door: Door) -> None:
    deliver = EventDoor(door.url)
    for number in range(5):
        deliver(event(number))
    wait_for(lambda: len(door.seen) == 5, "the delivery of five events")
    assert door.seen == ["0", "1", "2", "3", "4"]


def test_the_caller_is_read_from_the_user_agent() -> None:
    agent = "Boto3/1.43 md/Botocore#1.43 ua/2.1 os/linux lang/python app/deploy cfg/retry"
    assert caller_of(agent) == "deploy"
    assert caller_of("curl/8") == ""
