"""Looks that die or hang, again and again: every deployment ends, and a cancel is obeyed."""

import pytest

from cloud.simulation import campaign
from cloud.simulation.campaign import Job
from cloud.simulation.scenarios import SHOP
from cloud.simulation.watch import Watch

ALWAYS = 60


def ended(scenario: str, *faults: str) -> tuple[str, str, list[str]]:
    """How the shop's deployment ended: outcome, reason, and what was violated on the way."""
    job = Job(scenario, ";".join(faults), 0)
    run = campaign.made(job)
    found = Watch(run).deployment(SHOP)
    assert found is not None
    told = found.failure or found.cause
    return found.outcome or "", told.reason if told else "", campaign.judged(job, run)


def times(count: int, site: str, kind: str) -> list[str]:
    """The same fault at the first calls of one kind."""
    return [f"{site}/{number}={kind}" for number in range(1, count + 1)]


@pytest.mark.parametrize("kind", ["crash-before", "crash-after", "slow"])
@pytest.mark.parametrize(
    ("site", "outcome"),
    [
        ("plan/ecs/DescribeServices", "Failed"),
        ("check/ecr/DescribeImages", "Failed"),
        ("backup/rds/CreateDBSnapshot", "Failed"),
        ("migrate/ecs/RunTask", "RolledBack"),
        ("deploy/ecs/UpdateService", "RolledBack"),
    ],
)
def test_three_deaths_at_one_call_are_a_failure(site: str, kind: str, outcome: str) -> None:
    how, reason, violated = ended("success", *times(ALWAYS, site, kind))

    assert violated == []
    # An event may have taken the look that the state machine's calls did not survive.
    ends = {(outcome, "LookEndless"), ("Succeeded", "")}
    if (site, kind) == ("migrate/ecs/RunTask", "crash-before"):
        # ECS has placed no task, so nothing had changed.
        ends.add(("Failed", "LookEndless"))
    assert (how, reason) in ends


@pytest.mark.parametrize("kind", ["crash-before", "crash-after", "slow"])
@pytest.mark.parametrize("site", ["migrate/ecs/RunTask", "deploy/ecs/UpdateService"])
def test_two_deaths_are_an_accident(site: str, kind: str) -> None:
    how, _, violated = ended("success", *times(2, site, kind))

    assert (how, violated) == ("Succeeded", [])


@pytest.mark.parametrize(
    ("scenario", "sites"),
    [
        ("cancel@Check", ["check/ecr/DescribeImages"]),
        ("cancel@Approve", ["approve/dynamodb/GetItem"]),
        ("cancel@Backup", ["backup/rds/DescribeDBSnapshots"]),
        ("cancel@Migrate", ["migrate/ecs/DescribeTasks", "rollback/ecs/DescribeTasks"]),
        ("cancel@Deploy", ["deploy/ecs/DescribeServices", "rollback/ecs/DescribeServices"]),
        ("cancel@Verify", ["verify/ecs/DescribeServices"]),
    ],
)
def test_a_cancelled_deployment_ends_though_its_looks_hang(scenario: str, sites: list[str]) -> None:
    faults = [fault for site in sites for fault in times(ALWAYS, site, "slow")]
    how, _, violated = ended(scenario, *faults)

    assert how in {"Cancelled", "Failed", "RolledBack", "RollbackFailed", "NeedsOperator"}
    assert violated == []


def test_a_settle_that_hangs_is_made_good_by_the_sweep() -> None:
    how, _, violated = ended("success", *times(ALWAYS, "settle/dynamodb/GetItem", "slow"))

    assert (how, violated) == ("Succeeded", [])


@pytest.mark.parametrize("kind", ["crash-before", "crash-after", "slow"])
@pytest.mark.parametrize(
    ("scenario", "site"),
    [
        ("success", "verify/elbv2/DescribeTargetHealth"),
        ("verify-failure", "rollback/ecs/UpdateService"),
        ("verify-failure", "rollback/ecs/DescribeServices"),
    ],
)
def test_a_way_back_whose_looks_die_is_handed_to_a_person(
    scenario: str, site: str, kind: str
) -> None:
    how, _, violated = ended(scenario, *times(ALWAYS, site, kind))

    assert violated == []
    # An event may have taken the look that the state machine's calls did not survive.
    assert how in {"RollbackFailed", "NeedsOperator", "RolledBack", "Succeeded"}
