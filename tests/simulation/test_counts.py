"""What a deployment costs in calls, invocations and transitions: never more than it takes today."""

from collections.abc import Callable

import pytest

from cloud.simulation.counts import Counts, counts_of
from cloud.simulation.faults import parsed
from cloud.simulation.named import story
from cloud.simulation.outside import Secrets
from cloud.simulation.run import Run, Scenario
from cloud.simulation.scenarios import Story
from cloud.simulation.world import Image


def _release_candidate(run: Run) -> None:
    """Staging alone, with nothing to migrate."""
    run.at(5.0, lambda: run.push(Image("shop", "2-rc", "s1"), "rc2"))


STORIES: dict[str, tuple[Callable[[], Scenario], str]] = {
    "staging": (lambda: Story("staging", _release_candidate), "shop/staging"),
    "migration": (lambda: story("promotion"), "ledger/staging"),
    "production": (lambda: story("success"), "shop/production"),
    "rollback": (lambda: story("verify-failure"), "shop/production"),
    "circuit breaker": (lambda: story("deploy-failure"), "shop/production"),
    "failed migration": (lambda: story("migration-failure"), "shop/production"),
}


def counted(name: str) -> Counts:
    """The counts of a story whose notifications go to a webhook."""
    make, lane_id = STORIES[name]
    run = Run(make(), parsed(""), 1)
    run.cloud.secrets = Secrets(webhook=True)
    run.finish()
    assert run.violations == []
    return counts_of(run, lane_id)


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("staging", (90, 15, 12)),
        ("migration", (124, 22, 14)),
        ("production", (177, 30, 15)),
        ("rollback", (218, 37, 17)),
        ("circuit breaker", (184, 33, 16)),
        ("failed migration", (173, 28, 15)),
    ],
)
def test_a_deployment_costs_no_more_than_its_budget(name: str, most: tuple[int, int, int]) -> None:
    found = counted(name)

    spent = (found.calls, found.invocations, found.transitions)
    assert all(one <= limit for one, limit in zip(spent, most, strict=True)), "\n".join(
        [f"{spent} over {most}:", *map(str, found.charges)]
    )
