"""Which schema came before which, and what a migration must not be skipped for."""

import pytest

from slipway.domain.lane import Lane
from slipway.domain.plan import pending_migration
from slipway.domain.release import SCHEMA_LABEL, Image, label_name
from slipway.domain.schemas import SchemaHistory
from tests.builders.documents import DATABASE, NEW, OLD, environment, image, stable

NOTHING = SchemaHistory()


@pytest.mark.parametrize(
    ("schema", "than", "older"),
    [
        ("0002", "0003", True),
        ("0003", "0002", False),
        ("0002_author", "0010_pinned", True),
        ("0002_author", "0002_pinned", False),
        ("20250101120000_init", "20260101120000_more", True),
        ("202501011200", "202601011200", True),
        ("V2__author", "V10__pinned", True),
        ("V10__pinned", "V2__author", False),
        # Names without an order.
        ("1975ea83b712", "4822ae31f0c1", False),
        ("975318642048", "999999999999", False),
        ("12", "13", False),
        ("1.2.0", "1.10.0", False),
        ("author", "pinned", False),
        ("0002", "pinned", False),
        ("0002", "0002", False),
        (None, "0002", False),
        ("0002", None, False),
    ],
)
def test_a_schema_is_older_only_where_that_is_known(
    schema: str | None, than: str | None, older: bool
) -> None:
    assert NOTHING.older(schema, than, proven=False) is older


def test_what_was_live_tells_the_order_of_names_that_have_none() -> None:
    history = NOTHING.reaching("author").reaching("pinned")

    assert history.older("author", "pinned", proven=False)
    assert not history.older("pinned", "author", proven=False)


def test_going_back_to_a_schema_undoes_the_later_ones() -> None:
    back = NOTHING.reaching("author").reaching("pinned").reaching("author")

    assert back == SchemaHistory(live=("author",), undone=("pinned",))
    assert not back.older("pinned", "author", proven=True)
    assert back.reaching("pinned") == SchemaHistory(live=("pinned", "author"))


def test_a_schema_of_a_proven_release_came_before_where_nothing_else_tells() -> None:
    assert NOTHING.older("author", "pinned", proven=True)
    assert not NOTHING.older("0004", "0003", proven=True)


def test_the_history_is_bounded() -> None:
    history = NOTHING
    for number in range(500):
        history = history.reaching(f"x{number}")
    for number in range(499, 400, -1):
        history = history.reaching(f"x{number}").reaching(f"y{number}")

    assert len(history.live) == 50
    assert len(history.undone) <= 50


def test_a_lane_remembers_the_schemas_that_were_live_from_its_last_good_release_on() -> None:
    lane = Lane(application="notes", environment="staging", stable=stable(schema_revision="a"))

    lane = lane.with_stable(stable(schema_revision="b"), explicit=False)

    assert lane.schemas.live == ("b", "a")
    assert Lane.model_validate_json(lane.model_dump_json()) == lane


def test_a_lane_of_an_older_slipway_still_loads() -> None:
    stored = Lane(application="notes", environment="staging", stable=stable()).model_dump(
        mode="json", exclude={"schemas": True, "stable": {"service_arn", "database_id"}}
    )

    lane = Lane.model_validate(stored)

    assert (lane.schemas, lane.schema_now()) == (NOTHING, "0001")


def a_lane(**changes: object) -> Lane:
    last_good = stable(**changes)
    return Lane(application="notes", environment="staging", stable=last_good, proven=(OLD,))


HERE = f"rds:{DATABASE}"


@pytest.mark.parametrize(
    ("lane", "new", "schema_at", "pending"),
    [
        (a_lane(), image(**{SCHEMA_LABEL: "0001"}), None, False),
        (a_lane(), image(**{SCHEMA_LABEL: " 0001\n"}), None, False),
        (a_lane(), image(), None, True),
        # A blank label says nothing, and so did one that an older Slipway has kept.
        (a_lane(schema_revision=""), image(**{SCHEMA_LABEL: ""}), None, True),
        (a_lane(schema_revision="  "), image(**{SCHEMA_LABEL: "  "}), None, True),
        (a_lane(schema_revision="$SCHEMA"), image(**{SCHEMA_LABEL: "$SCHEMA"}), None, True),
        (a_lane(schema_revision="Ab"), image(**{SCHEMA_LABEL: "aB"}), None, True),
        # Labels of another database, or of a time without migrations, tell nothing of this one.
        (a_lane(database_id=HERE), image(**{SCHEMA_LABEL: "0001"}), None, False),
        (a_lane(database_id="rds:other"), image(**{SCHEMA_LABEL: "0001"}), None, True),
        (a_lane(database_id=""), image(**{SCHEMA_LABEL: "0001"}), None, True),
        # Another repository's schemas may have the same names.
        (a_lane(image_uri=f"elsewhere/shop@{OLD}"), image(**{SCHEMA_LABEL: "0001"}), None, True),
        # A release that succeeded here before, on a database that is said to be elsewhere.
        (a_lane(schema_revision="0002"), image(OLD), None, False),
        (a_lane(schema_revision="0002"), image(OLD), "0001", True),
        (a_lane(schema_revision="0003"), image(OLD), "0002", False),
        (a_lane(), image(OLD, **{SCHEMA_LABEL: ""}), None, False),
        (a_lane(), image(OLD, **{SCHEMA_LABEL: ""}), "0001", True),
        (a_lane(), image(NEW, **{SCHEMA_LABEL: ""}), None, True),
    ],
)
def test_a_migration_is_skipped_only_where_nothing_can_be_pending(
    lane: Lane, new: Image, schema_at: str | None, pending: bool
) -> None:
    assert pending_migration(environment(), new, lane, schema_at) is pending


@pytest.mark.parametrize("text", [None, "", " ", "\t\n", "a b", "2\n*Approved by*", "x" * 129, "ü"])
def test_what_is_no_name_says_nothing(text: str | None) -> None:
    assert label_name(text) is None


@pytest.mark.parametrize("text", ["2.0.0", "v1.2.3-rc.1+build_7", "0002_author", "x" * 128])
def test_what_is_a_name_is_kept(text: str) -> None:
    assert label_name(f" {text}\n") == text


def test_a_blank_schema_that_an_older_slipway_kept_is_nothing_to_go_back_to() -> None:
    """It would be the argument of a downgrade, and demanded of a rolled-back release."""
    kept = stable(schema_revision="", version=" ")

    assert (kept.schema_revision, kept.version) == (None, None)
