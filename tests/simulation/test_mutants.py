"""The campaign notices what it is there to notice: every seeded design bug."""

import gc
from collections.abc import Iterator

import pytest

from cloud.simulation.mutants import MUTANTS
from cloud.simulation.mutants.mutant import Mutant, caught_by


@pytest.fixture(autouse=True)
def _collected_once() -> Iterator[None]:
    """A run is full of circles; one collection for many runs costs less than many small ones."""
    gc.disable()
    yield
    gc.enable()
    gc.collect()


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_a_seeded_design_bug_is_caught(mutant: Mutant) -> None:
    caught = caught_by(mutant, most=60)

    assert caught is not None
    job, found = caught
    # A bug of the simulator or of the mutant itself is not what was to be found.
    telling = [each for each in found if not each.startswith(("(0) the simulator", "(15)"))]
    assert telling, (job, found)


def test_there_are_at_least_twenty_of_them() -> None:
    assert len({mutant.name for mutant in MUTANTS}) >= 20
