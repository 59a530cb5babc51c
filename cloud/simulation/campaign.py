"""The fault campaign: which runs there are, and how they are spread over the processors."""

import gc
import os
import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context

from cloud.simulation.faults import CallKind, EventKind, EventSite, Plan, Site, parsed, plan_of
from cloud.simulation.install import document_of
from cloud.simulation.named import story
from cloud.simulation.run import Run
from cloud.simulation.scenarios import stories, variants
from cloud.simulation.stories_of_tasks import of_tasks
from cloud.simulation.stories_of_wishes import wishes
from cloud.simulation.trace import SNAPSHOTS
from slipway.domain.deployment import Deployment
from slipway.domain.outcome import Outcome

# Functions whose calls come and go with time and not with the story.
_ON_SCHEDULE = ("sweep",)
_SIDE_EFFECTS = ("UpdateService", "RegisterTaskDefinition", "RunTask", *SNAPSHOTS)
_WRITES = (
    "TransactWriteItems",
    "BatchWriteItem",
    "StartExecution",
    "SendTaskSuccess",
    "SendTaskFailure",
    "PutEvents",
    "chat.postMessage",
)
_READS = ("Describe", "List", "Get", "Query", "BatchGetImage", "conversations.")
_MESSAGES = ("chat.postMessage", "webhook")
_PLAIN_HTTP = ("slack", "website", "registry")
_CHUNK = 60
# Hours of the cloud's time: made without faults only.
_LONG = {"slack-down", "slack-busy", "endless-migration", "scaled-to-0"}


@dataclass(frozen=True)
class Job:
    """One run to make: everything that is needed to make exactly the same run again."""

    scenario: str
    plan: str
    seed: int

    def __str__(self) -> str:
        return f"{self.scenario}|{self.plan}|{self.seed}"


@dataclass
class Stage:
    """What a stage of the campaign came to."""

    name: str
    runs: int = 0
    seconds: float = 0.0
    violations: list[tuple[Job, list[str]]] = field(default_factory=list)


def job_of(text: str) -> Job:
    """The job behind its text form: scenario|faults|seed, or the number of a random seed."""
    if text.isdigit():
        return random_job(int(text))
    scenario, faults, seed = text.split("|")
    return Job(scenario, faults, int(seed))


def made(job: Job) -> Run:
    """The run of a job."""
    return Run(story(job.scenario), parsed(job.plan), job.seed).finish()


@cache
def _baseline(scenario: str) -> tuple[tuple[Site, ...], tuple[EventSite, ...]]:
    """Every call of a scenario without faults, in the order of the calls, and every event."""
    cloud = made(Job(scenario, "", 0)).cloud
    calls = [
        site for site in cloud.calls.sites if site.function not in _ON_SCHEDULE or site.number <= 1
    ]
    events = [
        EventSite(detail_type, number)
        for detail_type, count in sorted(cloud.bus.counts.items())
        for number in range(1, count + 1)
    ]
    return tuple(calls), tuple(events)


def fault_free() -> list[Job]:
    """Every story, at every phase, without a fault."""
    every = stories() | variants() | of_tasks() | wishes()
    return [Job(name, "", seed) for name in every for seed in range(5)]


def single_call_faults(*, every: bool = True) -> Iterator[Job]:
    """Every call of every scenario, failing in every way.

    Not ``every`` means: what differs. A fault before two scenarios part is made in one of them,
    and of the kinds that look alike at the boundary one is enough.
    """
    seen: list[tuple[Site, ...]] = []
    for name in stories():
        calls = _baseline(name)[0]
        shared = 0 if every else max((_shared(calls, other) for other in seen), default=0)
        seen.append(calls)
        for site in calls[shared:]:
            for kind in _kinds(site, every):
                yield Job(name, str(Plan(calls=((site, kind),))), 0)


def _shared(calls: tuple[Site, ...], other: tuple[Site, ...]) -> int:
    """How many calls two scenarios have in common from their beginning."""
    pairs = zip(calls, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(calls), len(other)))


def _kinds(site: Site, every: bool) -> list[CallKind]:
    """How a call can fail; only the SDK of AWS repeats calls by itself.

    A throttle and a server error become the same error at the boundary, but for a message: what
    Slack refuses for now has not arrived, after a server error it may have. A call that only reads
    has no effect to lose or to repeat; of its faults a timeout stands for a server error too, and
    being too slow for a crash: the same in the end, after a longer time.
    """
    left_out = {CallKind.REPEATED} if site.service in _PLAIN_HTTP else set()
    if not every and site.operation not in _MESSAGES:
        left_out |= {CallKind.THROTTLE}
    if not every and site.operation.startswith(_READS):
        left_out |= {CallKind.LOST, CallKind.CRASH_AFTER, CallKind.REPEATED}
        left_out |= {CallKind.SERVER_ERROR, CallKind.CRASH_BEFORE}
    return [kind for kind in CallKind if kind not in left_out]


def single_event_faults() -> Iterator[Job]:
    """Every event of every scenario, failing in every way."""
    for name in stories():
        for site in _baseline(name)[1]:
            for kind in EventKind:
                yield Job(name, str(Plan(events=((site, kind),))), 0)


def pairs_of_faults() -> Iterator[Job]:
    """Every two calls with an effect of the success story, both with a lost or refused answer."""
    kinds = (CallKind.LOST, CallKind.CRASH_AFTER, CallKind.SERVER_ERROR)
    operations = _SIDE_EFFECTS + _WRITES
    for name in ("success", "verify-failure"):
        sites = [site for site in _baseline(name)[0] if site.operation in operations]
        for place, first in enumerate(sites):
            for second in sites[place + 1 :]:
                for kind in kinds:
                    yield Job(name, str(Plan(calls=((first, kind), (second, kind)))), 0)


def random_jobs(count: int) -> Iterator[Job]:
    """So many seeds, each with two to five faults and one to four deployments at once."""
    return (random_job(seed) for seed in range(count))


def random_job(seed: int) -> Job:
    """The run of a seed."""
    chance = random.Random(seed)
    names = sorted((stories() | variants() | of_tasks() | wishes()).keys() - _LONG)
    scenario = chance.choice(names) if chance.random() < 0.35 else f"busy-{seed}"
    calls, events = _baseline(scenario if not scenario.startswith("busy") else "promotion")
    calls, events = _richer(scenario, calls, events)
    faults: list[tuple[Site, CallKind] | tuple[EventSite, EventKind]] = []
    for _ in range(chance.randint(2, 5)):
        if chance.random() < 0.75:
            site = chance.choice(calls)
            faults.append((site, chance.choice(_kinds(site, every=True))))
        else:
            faults.append((chance.choice(events), chance.choice(list(EventKind))))
    return Job(scenario, str(plan_of(dict(faults).items())), seed)  # type: ignore[arg-type]


def _richer(
    scenario: str, calls: tuple[Site, ...], events: tuple[EventSite, ...]
) -> tuple[tuple[Site, ...], tuple[EventSite, ...]]:
    """Where several deployments run, their calls are those of several stories."""
    if not scenario.startswith("busy"):
        return calls, events
    found = [_baseline(name) for name in ("promotion", "newer-push@Backup", "verify-failure")]
    return (
        tuple(dict.fromkeys(site for sites, _ in found for site in sites)),
        tuple(dict.fromkeys(site for _, sites in found for site in sites)),
    )


def transient_jobs(count: int, share: float = 0.05) -> Iterator[Job]:
    """The success story with a share of all calls failing transiently; it has to succeed."""
    return (Job("success", f"transient={share}", seed) for seed in range(count))


def violations_of(job: Job) -> list[str]:
    """What is wrong with a run; a crash of the simulator itself is a violation too."""
    try:
        run = made(job)
    except Exception as error:
        return [f"(0) the simulator itself failed: {type(error).__name__}: {error}"]
    found = judged(job, run)
    # Without its cloud, which leads everywhere, much of a run goes at once and not by a collection.
    vars(run.cloud).clear()
    return found


def judged(job: Job, run: Run) -> list[str]:
    """What is wrong with a run that has been made."""
    found = list(run.violations)
    if not job.plan or job.plan.startswith("transient="):
        found += _ended_otherwise(run)
    return found


def _ended_otherwise(run: Run) -> list[str]:
    wanted = getattr(run.scenario, "ends", {})
    ended = {name: _outcome(run, name) for name in wanted}
    return [f"(0) ended as {ended}, not {wanted}"] if ended != wanted else []


def _outcome(run: Run, name: str) -> Outcome | None:
    found = run.cloud.table.item(f"DEPLOYMENT#{name}", "DEPLOYMENT")
    outcome: Outcome | None = document_of(found, Deployment).outcome if found else None
    return outcome


def _ready() -> None:
    """Prepare a worker: what lives as long as it does need not be looked through again."""
    violations_of(Job("success", "", 0))
    gc.freeze()
    gc.disable()


def _many(jobs: list[Job]) -> list[tuple[Job, list[str]]]:
    found = [(job, violations_of(job)) for job in jobs]
    # A run is full of circles; one collection for many runs costs less than many small ones.
    gc.collect()
    return found


def run_stage(
    name: str, jobs: Iterable[Job], progress: Callable[[int], None] = lambda done: None
) -> Stage:
    """Make the runs on all processors."""
    stage, began = Stage(name), time.perf_counter()
    with get_context("fork").Pool(os.cpu_count(), _ready) as pool:
        for results in pool.imap_unordered(_many, _chunks(jobs)):
            stage.runs += len(results)
            stage.violations += [(job, found) for job, found in results if found]
            progress(len(results))
    stage.seconds = time.perf_counter() - began
    stage.violations.sort(key=lambda one: str(one[0]))
    return stage


def _chunks(jobs: Iterable[Job]) -> Iterator[list[Job]]:
    chunk: list[Job] = []
    for job in jobs:
        chunk.append(job)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
