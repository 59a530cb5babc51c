"""Every reason has one meaning, in the code and in the runbook alike."""

import re
from pathlib import Path

import pytest

from slipway.domain.errors import Broken, Reason, Rejected
from slipway.domain.failure import Failure, outcome_of
from slipway.domain.outcome import Outcome
from slipway.domain.reasons import MEANINGS, Level

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
HEADINGS = re.findall(r"^## (.+)$", RUNBOOK, re.M)


def anchor(heading: str) -> str:
    """How a Markdown renderer names a heading in a link."""
    return re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")


def test_every_reason_means_one_thing() -> None:
    assert set(MEANINGS) == set(Reason)
    said = [meaning.says for meaning in MEANINGS.values()]
    assert len(set(said)) == len(said)


def test_the_runbook_has_the_same_table() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| (\w+) \| (.*?) ?\|$", RUNBOOK, re.M)
    written = {name: (says, level, see) for name, says, level, see in rows}
    expected = {
        str(reason): (
            meaning.says,
            str(meaning.level),
            f"[{meaning.heading}](#{anchor(meaning.heading)})" if meaning.heading else "",
        )
        for reason, meaning in MEANINGS.items()
    }

    assert written == expected


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_leads_to_a_heading_of_the_runbook(reason: Reason) -> None:
    meaning = MEANINGS[reason]

    assert meaning.heading == "" or meaning.heading in HEADINGS
    assert meaning.outcome is None or meaning.heading == meaning.outcome


def test_every_outcome_has_its_heading() -> None:
    assert set(Outcome) <= set(HEADINGS)


def ends(error: type, reason: Reason) -> Outcome:
    """How a deployment ends that has changed nothing."""
    failure = Failure(state="Check", error=error.__name__, reason=reason, message="")
    return outcome_of(failure, None, changed=False)


@pytest.mark.parametrize(
    "reason", [one for one, meaning in MEANINGS.items() if meaning.outcome is Outcome.BLOCKED]
)
def test_what_blocks_a_deployment_ends_it_as_the_table_says(reason: Reason) -> None:
    assert ends(Rejected, reason) is Outcome.BLOCKED


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome.EXPIRED,
        Outcome.REJECTED,
        Outcome.CANCELLED,
        Outcome.SUPERSEDED,
        Outcome.UNCHANGED,
    ],
)
def test_an_end_of_its_own_has_one_reason(outcome: Outcome) -> None:
    (reason,) = [one for one, meaning in MEANINGS.items() if meaning.outcome is outcome]

    assert ends(Rejected, reason) is outcome


@pytest.mark.parametrize(
    "reason", [one for one, meaning in MEANINGS.items() if meaning.outcome is Outcome.FAILED]
)
def test_what_breaks_a_deployment_before_it_changed_anything_fails_it(reason: Reason) -> None:
    assert ends(Broken, reason) is Outcome.FAILED


def test_a_person_is_needed_at_once_exactly_where_something_has_changed() -> None:
    grave = {Outcome.ROLLED_BACK, Outcome.ROLLBACK_FAILED, Outcome.NEEDS_OPERATOR}
    critical = {one for one, meaning in MEANINGS.items() if meaning.level is Level.CRITICAL}

    assert critical == {
        one
        for one, meaning in MEANINGS.items()
        if meaning.outcome in grave or one is Reason.LANE_LOST
    }
