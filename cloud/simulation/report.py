"""The whole campaign with its progress, and the page that it writes."""

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cloud.simulation import campaign
from cloud.simulation.campaign import Job, Stage
from cloud.simulation.template import ROOT

_PAGE = ROOT / "docs" / "campaign.md"
_SHOWN = 20
_LINE_SECONDS = 15.0
_RELEASE_SEEDS = 100_000


@dataclass(frozen=True)
class Planned:
    """A stage of the campaign before it is run; ``release`` is how many runs a release makes."""

    name: str
    jobs: Callable[[], Iterable[Job]]
    release: int | None = None


def run_campaign(seeds: int, *, transient: int, pairs: int | None, quick: bool) -> int:
    """Run the stages; 0 when no run violated anything. Only the campaign writes its page.

    ``pairs`` is how many pairs of faults are tried at most, spread evenly over all; None: all.
    """
    planned = planned_stages(seeds, transient, pairs, quick=quick)
    stages: list[tuple[Planned, Stage]] = []
    for place, one in enumerate(planned, start=1):
        stages.append((one, _run(one)))
        if not quick:
            # A campaign takes hours: what is done is written, whatever becomes of the rest.
            _PAGE.write_text(page(stages, planned[place:], datetime.now(UTC)))
            print(f"written: {_PAGE.relative_to(ROOT)}", flush=True)
    return 1 if any(stage.violations for _, stage in stages) else 0


def planned_stages(seeds: int, transient: int, pairs: int | None, *, quick: bool) -> list[Planned]:
    """What is to be run, in order."""
    stages = [
        Planned("every scenario without faults", campaign.fault_free),
        Planned(
            "single API fault x scenario, exhaustive",
            lambda: campaign.single_call_faults(every=not quick),
        ),
        Planned("single event fault x scenario, exhaustive", campaign.single_event_faults),
    ]
    if quick:
        return [*stages, Planned("random seeds", lambda: campaign.random_jobs(2_000))]
    every_pair = list(campaign.pairs_of_faults())
    step = -(-len(every_pair) // pairs) if pairs else 1
    return [
        *stages,
        Planned(
            "random seeds, 2-5 faults, 1-4 deployments",
            lambda: campaign.random_jobs(seeds),
            _RELEASE_SEEDS,
        ),
        Planned(
            "5 % transient faults, success",
            lambda: campaign.transient_jobs(transient),
            _RELEASE_SEEDS,
        ),
        Planned("pairs of faults at side effects", lambda: every_pair[::step], len(every_pair)),
    ]


@dataclass
class Lines:
    """Progress as a line now and then, for where no terminal shows a bar."""

    name: str
    total: int
    done: int = 0
    _next: float = field(default_factory=lambda: time.monotonic() + _LINE_SECONDS)

    def advance(self, count: int) -> None:
        """So many more runs are made."""
        self.done += count
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _LINE_SECONDS
            print(f"  {self.name}: {self.done} of {self.total} runs", flush=True)


def _run(planned: Planned) -> Stage:
    console = Console()
    # In a list, so that the workers inherit what the jobs were counted from.
    jobs = list(planned.jobs())
    stage = (_with_bar if console.is_terminal else _with_lines)(planned.name, jobs)
    print(f"  {row(stage)}", flush=True)
    for job, found in stage.violations[:_SHOWN]:
        print(f"  {job}\n    {found[0]}", flush=True)
    return stage


def _with_bar(name: str, jobs: list[Job]) -> Stage:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn()) as progress:
        task = progress.add_task(name, total=len(jobs))
        return campaign.run_stage(name, jobs, lambda done: progress.update(task, advance=done))


def _with_lines(name: str, jobs: list[Job]) -> Stage:
    return campaign.run_stage(name, jobs, Lines(name, len(jobs)).advance)


def row(stage: Stage) -> str:
    """A stage's result in one line."""
    speed = stage.runs / stage.seconds / (os.cpu_count() or 1) if stage.seconds else 0.0
    return (
        f"{stage.name}: {stage.runs} runs, {len(stage.violations)} with violations, "
        f"{speed:.0f} runs per second and core"
    )


def page(stages: list[tuple[Planned, Stage]], still_to_run: list[Planned], at: datetime) -> str:
    """The campaign's results as a page."""
    lines = [
        "# The fault campaign",
        "",
        f"Written by `python -m cloud.simulation campaign` on {at:%Y-%m-%d} (UTC) on "
        f"{os.cpu_count()} cores;",
        "what it proves is told in `simulation.md`. A run is made again by",
        "`python -m cloud.simulation replay 'scenario|faults|seed'`.",
        "",
        "| stage | runs | of a release's | with violations | runs per second and core |",
        "|---|---:|---:|---:|---:|",
        *(_line(planned, stage) for planned, stage in stages),
        "",
        *_left_out(stages, still_to_run),
    ]
    found = [one for _, stage in stages for one in stage.violations]
    lines += ["No violations." if not found else "## Violations", ""]
    lines += [f"- `{job}`: {wrong[0]}" for job, wrong in found[:100]]
    return "\n".join(lines).rstrip() + "\n"


def _line(planned: Planned, stage: Stage) -> str:
    speed = stage.runs / stage.seconds / (os.cpu_count() or 1)
    wanted = stage.runs if planned.release is None else planned.release
    return f"| {stage.name} | {stage.runs:,} | {wanted:,} | {len(stage.violations)} | {speed:.0f} |"


def _left_out(stages: list[tuple[Planned, Stage]], still_to_run: list[Planned]) -> list[str]:
    """What a release's campaign makes and this one did not."""
    missing = [
        f"{planned.release - stage.runs:,} {stage.name}"
        for planned, stage in stages
        if planned.release is not None and stage.runs < planned.release
    ]
    missing += [f"all {planned.name}" for planned in still_to_run]
    if not missing:
        return []
    return ["Not run this time, which a release's campaign runs:", *_listed(missing), ""]


def _listed(texts: list[str]) -> list[str]:
    return ["", *(f"- {text}" for text in texts)]
