"""Functions: woken in time, failing only by the four errors, given up after three deaths."""

from cloud.simulation.watch import Violations, Watch, invariant

_WOKEN_WITHIN = 30.0
_UNDERWAY_SECONDS = 10.0
_HARMLESS = ("duplicate", "before-parking", "foreign", "malformed")
_DEATHS = ("Sandbox.Timedout", "Runtime.ExitError", "Lambda.Unknown")
_MOST_DEATHS = 3


@invariant(16, "no wake-up is lost between looking and parking")
def no_lost_wake_up(watch: Watch) -> Violations:
    """A step that the sweep finds done shows that its event came and went unnoticed.

    Unless the step was running, its event was still on the way, or the sweep itself was the
    event: it frees databases, and what waits for them continues.
    """
    plan = watch.run.plan
    if plan.calls or plan.transient_share or any(kind not in _HARMLESS for _, kind in plan.events):
        return
    working, freed = _working_times(watch), _freeing_spans(watch)
    for line in watch.cloud.trace.lines:
        if line[1] != "ended" or line[2].event.get("detail-type") != "Look Again":
            continue
        name = line[2].function.name
        underway = any(abs(line[0] - at) < _UNDERWAY_SECONDS for at in working.get(name, ()))
        if underway or any(began <= line[0] < until for began, until in freed):
            continue
        for found in line[3] or []:
            if found["done"] and found["reason"] in ("Verified", "GatesPassed", "LaneTaken"):
                yield f"{name} was done before the sweep looked at {line[0]:.2f}"


def _freeing_spans(watch: Watch) -> list[tuple[float, float]]:
    """The spans in which a step may have continued because a sweep freed its database."""
    began: dict[int, float] = {}
    found = []
    for line in watch.cloud.trace.lines:
        if line[1] == "invoked":
            began[line[2].number] = line[0]
        sweep = line[1] == "ended" and line[2].function.name == "sweep"
        if sweep and (line[3] or {}).get("freed"):
            found.append((began[line[2].number], line[0] + _WOKEN_WITHIN))
    return found


def _working_times(watch: Watch) -> dict[str, list[float]]:
    """When each function began or ended, other than for the sweep's Look Again."""
    times: dict[str, list[float]] = {}
    for line in watch.cloud.trace.lines:
        invocation = line[1] in ("invoked", "ended")
        if invocation and line[2].event.get("detail-type") != "Look Again":
            times.setdefault(line[2].function.name, []).append(line[0])
    return times


@invariant(15, "a handler raises one of the four errors, never a bug of its own")
def no_bug(watch: Watch) -> Violations:
    for at, function, error in watch.cloud.trace.bugs:
        text = str(error).replace("\n", " ")[:300]
        yield f"{function} at {at:.2f}: {type(error).__name__}: {text}"


@invariant(11, "a state whose function died three times is not retried")
def three_deaths_are_the_end(watch: Watch) -> Violations:
    for one in watch.cloud.machine.executions.values():
        died = 0
        for _, what, detail in one.history:
            died = 0 if what == "entered" else died
            died += what == "failed" and detail.endswith(_DEATHS)
            if died > _MOST_DEATHS:
                yield f"{one.name} died {died} times: {detail}"
                break
