"""The campaign of every commit: nothing that goes wrong breaks what Slipway promises."""

import subprocess
import sys
from collections.abc import Callable, Iterable

import pytest

from cloud.simulation import campaign
from cloud.simulation.campaign import Job
from cloud.simulation.report import Lines, row
from cloud.simulation.timeline import timeline

_STAGES: list[tuple[str, Callable[[], Iterable[Job]]]] = [
    ("every scenario without faults", campaign.fault_free),
    ("every single API fault", lambda: campaign.single_call_faults(every=False)),
    ("every single event fault", campaign.single_event_faults),
    ("2,000 random seeds", lambda: campaign.random_jobs(2_000)),
    ("5 % transient faults", lambda: campaign.transient_jobs(200)),
]


@pytest.mark.parametrize(("name", "jobs"), _STAGES, ids=[name for name, _ in _STAGES])
def test_nothing_is_violated(
    name: str, jobs: Callable[[], Iterable[Job]], capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = list(jobs())

    with capsys.disabled():
        print(flush=True)
        stage = campaign.run_stage(name, wanted, Lines(name, len(wanted)).advance)
        print(f"  {row(stage)}", flush=True)
    assert stage.runs == len(wanted)
    assert stage.violations == [], _shown(stage.violations)


def _shown(violations: list[tuple[Job, list[str]]]) -> str:
    """The first failing run in full, and the others by name."""
    job, found = violations[0]
    story = "\n".join(timeline(campaign.made(job)))
    others = "\n".join(f"{other}: {wrong[0]}" for other, wrong in violations[:30])
    replay = f"python -m cloud.simulation replay '{job}'"
    return f"\n{story}\n\n{found}\nreplay: {replay}\n\nall:\n{others}"


def test_a_run_is_made_again_exactly() -> None:
    for job in (campaign.random_job(3), Job("deploy-failure", "", 7)):
        assert list(timeline(campaign.made(job), reads=True)) == list(
            timeline(campaign.made(job), reads=True)
        )


def test_a_run_is_the_same_in_another_process() -> None:
    """Nothing depends on the order of a set or on what ran before."""
    command = [sys.executable, "-m", "cloud.simulation", "replay", "--reads", "11"]
    environment = {"PYTHONPATH": ".:layers/core", "PYTHONHASHSEED": "1", "PATH": ""}

    found = [
        subprocess.run(
            command, env={**environment, "PYTHONHASHSEED": seed}, capture_output=True, text=True
        ).stdout
        for seed in ("1", "2")
    ]

    assert found[0] == found[1]
    assert "no violations" in found[0]
