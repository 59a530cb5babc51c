"""The whole campaign with a progress bar, and the page that it writes."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.simulation import campaign
from tests.simulation.campaign import Job, Stage
from tests.simulation.template import ROOT

_PAGE = ROOT / "docs" / "campaign.md"
_SHOWN = 20


@dataclass(frozen=True)
class Planned:
    """A stage of the campaign before it is run."""

    name: str
    jobs: Callable[[], Iterable[Job]]


def run_campaign(seeds: int, *, quick: bool) -> int:
    """Run the stages; 0 when no run violated anything. Only the whole campaign writes its page."""
    stages = [_run(planned) for planned in planned_stages(seeds, quick=quick)]
    if not quick:
        _PAGE.write_text(page(stages))
        print(f"written: {_PAGE.relative_to(ROOT)}")
    return 1 if any(stage.violations for stage in stages) else 0


def planned_stages(seeds: int, *, quick: bool) -> list[Planned]:
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
    return [
        *stages,
        Planned("pairs of faults at side effects", campaign.pairs_of_faults),
        Planned("random seeds, 2-5 faults, 1-4 deployments", lambda: campaign.random_jobs(seeds)),
        Planned("5 % transient faults, success", lambda: campaign.transient_jobs(seeds)),
    ]


def _run(planned: Planned) -> Stage:
    console = Console()
    jobs = list(planned.jobs())
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task(planned.name, total=len(jobs))
        stage = campaign.run_stage(
            planned.name, jobs, lambda done: progress.update(task, advance=done)
        )
    console.print(f"  {_row(stage)}", markup=False, highlight=False)
    for job, found in stage.violations[:_SHOWN]:
        console.print(f"  {job}\n    {found[0]}", markup=False, highlight=False)
    return stage


def _row(stage: Stage) -> str:
    speed = stage.runs / stage.seconds / (os.cpu_count() or 1) if stage.seconds else 0.0
    return (
        f"{stage.name}: {stage.runs} runs, {len(stage.violations)} with violations, "
        f"{speed:.0f} runs per second and core"
    )


def page(stages: list[Stage]) -> str:
    """The campaign's results as a page."""
    lines = [
        "# The fault campaign",
        "",
        "Written by `python -m tests.simulation campaign`; what it proves is told in",
        "`simulation.md`. A run is made again by",
        "`python -m tests.simulation replay 'scenario|faults|seed'`.",
        "",
        "| stage | runs | with violations | runs per second and core |",
        "|---|---:|---:|---:|",
    ]
    for stage in stages:
        speed = stage.runs / stage.seconds / (os.cpu_count() or 1)
        lines.append(f"| {stage.name} | {stage.runs} | {len(stage.violations)} | {speed:.0f} |")
    found = [one for stage in stages for one in stage.violations]
    lines += ["", "No violations." if not found else "## Violations", ""]
    lines += [f"- `{job}`: {wrong[0]}" for job, wrong in found[:100]]
    return "\n".join(lines).rstrip() + "\n"
