"""Nobody changes the record unseen."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.domain.deployment import Deployment
from slipway.domain.evidence import Evidence, Note, chain_errors, with_evidence
from slipway.domain.what import What
from tests.builders.documents import START
from tests.builders.worlds import World

NOTES = [Note(what=What.PLANNED, message="said", data={"n": number}) for number in range(1, 5)]


def written(notes: list[Note] | None = None) -> tuple[Deployment, list[Evidence]]:
    world = World()
    world.admit()
    empty = world.deployment.model_copy(update={"evidence_count": 0, "evidence_hash": ""})
    return with_evidence(empty, NOTES if notes is None else notes, START)


def tampered(number: int, **changes: Any) -> list[str]:
    deployment, entries = written()
    entries[number - 1] = entries[number - 1].model_copy(update=changes)
    return chain_errors(deployment, entries)


def test_a_whole_record_has_no_errors() -> None:
    assert chain_errors(*written()) == []
    assert chain_errors(*written([])) == []


def test_a_record_written_in_parts_is_one_chain() -> None:
    deployment, first = written(NOTES[:2])
    deployment, second = with_evidence(deployment, NOTES[2:], START)

    assert [entry.number for entry in first + second] == [1, 2, 3, 4]
    assert chain_errors(deployment, first + second) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"what": "nothing"},
        {"message": "other"},
        {"reason": "Verified"},
        {"data": {"n": 99}},
        {"at": START.replace(year=2027)},
        {"deployment_id": "notes-staging-2"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_changed_field_is_found(changes: dict[str, Any]) -> None:
    assert tampered(2, **changes) == ["entry 2 was changed after it was written"]


def test_a_change_with_a_new_hash_breaks_the_chain_after_it() -> None:
    deployment, entries = written()
    entries[1] = entries[1].model_copy(update={"message": "other"}).sealed()

    assert chain_errors(deployment, entries) == ["entry 3 does not follow entry 2"]


def test_a_changed_last_entry_with_a_new_hash_is_not_the_one_that_the_deployment_names() -> None:
    deployment, entries = written()
    entries[3] = entries[3].model_copy(update={"message": "other"}).sealed()

    assert chain_errors(deployment, entries) == [
        "the last entry is not the one that the deployment names"
    ]


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_missing_entry_is_found(number: int) -> None:
    deployment, entries = written()
    del entries[number - 1]

    assert chain_errors(deployment, entries)[0] == (
        f"entry {number} is missing (found {number + 1})"
    )


@pytest.mark.parametrize("kept", [0, 3])
def test_a_cut_off_end_is_found(kept: int) -> None:
    deployment, entries = written()

    assert chain_errors(deployment, entries[:kept]) == [f"{kept} entries, but 4 were written"]


def test_an_added_entry_is_found() -> None:
    deployment, entries = written()
    _, more = with_evidence(deployment, [Note(what="settled")], START)

    assert chain_errors(deployment, entries + more) == ["5 entries, but 4 were written"]


def test_entries_that_changed_places_are_found() -> None:
    deployment, entries = written()
    entries[1], entries[2] = entries[2], entries[1]

    assert chain_errors(deployment, entries)[0] == "entry 2 is missing (found 3)"


def test_a_record_forged_from_the_start_does_not_end_where_the_deployment_says() -> None:
    deployment, _ = written()
    _, forged = written([Note(what="settled")] * 4)

    assert chain_errors(deployment, forged) == [
        "the last entry is not the one that the deployment names"
    ]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.lists(
        st.builds(
            Note,
            what=st.sampled_from(What),
            reason=st.text(),
            message=st.text(),
            data=st.dictionaries(st.text(), _JSON, max_size=3),
        ),
        max_size=4,
    )
)
def test_the_chain_survives_being_stored(notes: list[Note]) -> None:
    deployment, entries = written(notes)

    stored = [Evidence.model_validate_json(entry.model_dump_json()) for entry in entries]

    assert chain_errors(deployment, stored) == []


@given(st.data())
def test_any_changed_character_of_the_stored_record_is_found(data: st.DataObject) -> None:
    deployment, entries = written()
    number = data.draw(st.integers(0, len(entries) - 1))
    fields = json.loads(entries[number].model_dump_json())
    field = data.draw(st.sampled_from(["what", "message", "reason", "previous_hash", "hash"]))
    fields[field] += data.draw(st.text(min_size=1, max_size=3))

    entries[number] = Evidence.model_validate(fields)

    assert chain_errors(deployment, entries) != []


def test_an_entry_does_not_grow_with_what_others_say() -> None:
    world = World()
    world.admit()
    deployment, (entry,) = with_evidence(
        world.deployment, [Note(what="planned", message="y" * 100_000)], world.now
    )

    assert len(entry.message) == 2000
    assert entry.hash == entry.expected_hash() == deployment.evidence_hash
