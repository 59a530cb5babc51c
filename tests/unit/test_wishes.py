"""The edge: whatever comes from outside is a wish or a refusal with a reason, never an accident."""

import copy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.domain.deployment import Origin
from slipway.domain.errors import Reason, Rejected
from slipway.domain.outcome import Outcome
from slipway.requests.wish import Wish
from slipway.requests.wishes import refused_request_id, wishes
from tests.builders.documents import NEW, START, environment, release
from tests.builders.samples import sample
from tests.builders.worlds import World

ACCOUNT, REGION = "000000000000", "us-east-1"

PUSH: dict[str, Any] = {
    "version": "0",
    "id": "13cde686-328b-6117-af20-0e5566167482",
    "detail-type": "ECR Image Action",
    "source": "aws.ecr",
    "account": ACCOUNT,
    "time": "2026-11-21T09:00:00Z",
    "region": REGION,
    "resources": [],
    "detail": {
        "result": "SUCCESS",
        "repository-name": "notes",
        "image-digest": NEW,
        "action-type": "PUSH",
        "image-tag": "v2",
    },
}
REQUEST: dict[str, Any] = PUSH | {
    "detail-type": "Deployment Requested",
    "source": "slipway",
    "detail": {
        "application": "notes",
        "environment": "staging",
        "repository": "notes",
        "digest": NEW,
        "tag": "v2",
        "requested_by": "ada",
    },
}
SETTLED: dict[str, Any] = PUSH | {
    "detail-type": "Deployment Settled",
    "source": "slipway",
    "detail": {
        "deployment_id": "notes-staging-1",
        "lane": "notes/staging",
        "outcome": "Succeeded",
    },
}


def changed(event: dict[str, Any], field: str, value: object) -> dict[str, Any]:
    """The event with one field replaced; ``detail.x`` is a field of the detail."""
    made = copy.deepcopy(event)
    place, _, name = field.rpartition(".")
    where = made[place] if place else made
    if value is None:
        del where[name]
    else:
        where[name] = value
    return made


def read(event: Any, world: World | None = None) -> list[Wish]:
    world = world or World()
    return wishes(
        event, account=ACCOUNT, region=REGION, catalog=world.catalog, records=world.records
    )


def refusal(event: Any, world: World | None = None) -> tuple[Reason, str]:
    with pytest.raises(Rejected) as refused:
        read(event, world)
    return refused.value.reason, refused.value.message


def succeeded() -> World:
    world = World().verified()
    world.settle()
    return world


def test_a_push_is_a_wish_for_every_environment_that_it_feeds() -> None:
    assert read(PUSH) == [
        Wish(
            wish_id=f"push:notes/staging:notes@{NEW}",
            application="notes",
            environment="staging",
            release=release(),
            origin=Origin.PUSH,
            requested_by="push of notes:v2",
            event_id="13cde686-328b-6117-af20-0e5566167482",
        )
    ]


def test_a_redelivery_and_another_tag_of_the_same_digest_are_the_same_wish() -> None:
    again = changed(changed(PUSH, "id", "another"), "detail.image-tag", "v2.0")

    assert read(again)[0].wish_id == read(PUSH)[0].wish_id


@pytest.mark.parametrize(
    ("field", "value"), [("detail.image-tag", "latest"), ("detail.repository-name", "shop")]
)
def test_a_push_that_feeds_nothing_is_refused(field: str, value: str) -> None:
    event = changed(PUSH, field, value)
    pushed = event["detail"]

    assert refusal(event) == (
        Reason.NOT_MEANT_FOR_US,
        f"No environment matches {pushed['repository-name']}:{pushed['image-tag']}; "
        "push.repository and push.tags in the catalog select the pushes that start deployments.",
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("detail.action-type", "DELETE"),
        ("detail.action-type", "UPDATE_STORAGE_CLASS"),
        ("detail.result", "FAILURE"),
        ("detail.image-tag", ["v2"]),
        ("detail.image-digest", "sha256:beef"),
        ("detail.image-digest", None),
        ("detail.repository-name", ""),
        ("detail", []),
        ("detail", None),
        ("time", "yesterday"),
        ("time", None),
        ("id", ""),
        ("id", 5),
        ("source", None),
        ("account", 0),
    ],
)
def test_a_push_event_that_is_not_one_names_the_field(field: str, value: object) -> None:
    reason, message = refusal(changed(PUSH, field, value))

    assert reason is Reason.EVENT_MALFORMED
    assert message.startswith(f"{field.rpartition('.')[2]}: ")


def test_a_time_without_a_zone_cannot_be_ordered_and_is_refused() -> None:
    reason, message = refusal(changed(PUSH, "time", "2026-11-21T09:00:00"))

    assert (reason, message.partition(":")[0]) == (Reason.EVENT_MALFORMED, "time")


@pytest.mark.parametrize("event", [{}, [], "push", 7, {"detail": {}}])
def test_what_is_no_event_is_refused(event: object) -> None:
    assert refusal(event)[0] is Reason.EVENT_MALFORMED


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("account", "111111111111", "111111111111/us-east-1"),
        ("region", "eu-west-1", "000000000000/eu-west-1"),
    ],
)
def test_an_event_of_another_account_or_region_is_foreign(
    field: str, value: str, told: str
) -> None:
    assert refusal(changed(PUSH, field, value)) == (
        Reason.EVENT_FOREIGN,
        f"The event comes from {told}, not 000000000000/us-east-1.",
    )


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("aws.ecr", "ECR Image Scan"),
        ("aws.ecr", "ECR Replication Action"),
        ("custom.ecr", "ECR Image Action"),
        ("aws.ecr", "Deployment Requested"),
        ("slipway", "Candidate Admitted"),
    ],
)
def test_other_events_start_nothing(source: str, kind: str) -> None:
    event = changed(changed(PUSH, "source", source), "detail-type", kind)

    assert refusal(event) == (
        Reason.NOT_MEANT_FOR_US,
        f"No deployment starts on {source} '{kind}'.",
    )


def test_a_request_is_explicit_and_is_told_by_its_events_id() -> None:
    assert read(REQUEST) == [
        Wish(
            wish_id="request:13cde686-328b-6117-af20-0e5566167482",
            application="notes",
            environment="staging",
            release=release(),
            origin=Origin.REQUEST,
            requested_by="ada",
            explicit=True,
        )
    ]


def test_a_request_carries_the_persons_reason_and_a_name_of_its_own() -> None:
    asked = changed(
        changed(REQUEST, "detail.reason", "It cannot wait."), "detail.request_id", "a-1"
    )

    (wish,) = read(asked)

    assert (wish.reason, wish.wish_id) == ("It cannot wait.", "request:a-1")
    assert read(changed(asked, "id", "another"))[0].wish_id == wish.wish_id


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("detail.reason", "x" * 501),
        ("detail.reason", 7),
        ("detail.request_id", ""),
        ("detail.request_id", "a b"),
        ("detail.request_id", "a" * 65),
        ("detail.application", "Notes"),
        ("detail.environment", ""),
        ("detail.digest", "v2"),
        ("detail.tag", None),
        ("detail.requested_by", ""),
        ("detail.repository", None),
    ],
)
def test_a_request_that_is_not_one_names_the_field(field: str, value: object) -> None:
    reason, message = refusal(changed(REQUEST, field, value))

    assert reason is Reason.EVENT_MALFORMED
    assert message.startswith(f"{field.removeprefix('detail.')}: ")


@pytest.mark.parametrize("tag", [None, ""])
def test_the_image_of_an_index_comes_without_a_tag_and_is_no_malformed_event(
    tag: str | None,
) -> None:
    assert refusal(changed(PUSH, "detail.image-tag", tag)) == (
        Reason.NOT_MEANT_FOR_US,
        "A push to notes without a tag starts no deployment; push a tag.",
    )


@pytest.mark.parametrize(
    ("media_type", "told"),
    [
        ("application/vnd.oci.image.config.v1+json", None),
        ("application/vnd.docker.container.image.v1+json", None),
        ("application/vnd.oci.image.index.v1+json", None),
        ("", None),
        (7, None),
        (["application/vnd.cncf.helm.config.v1+json"], None),
        (
            "application/vnd.cncf.helm.config.v1+json",
            "an artifact of type application/vnd.cncf.helm.config.v1+json",
        ),
        ("text/\x1b[31mplain\n", "an artifact of type text/plain"),
    ],
)
def test_a_push_says_what_is_no_container_image(media_type: object, told: str | None) -> None:
    (wish,) = read(PUSH | {"detail": PUSH["detail"] | {"artifact-media-type": media_type}})

    assert wish.artifact == told


def test_a_request_may_say_that_it_replaces_what_waits() -> None:
    assert read(changed(REQUEST, "detail.replace", True))[0].replace is True
    assert read(REQUEST)[0].replace is False


def test_a_request_carries_no_line_breaks_and_no_escapes_into_the_record() -> None:
    asked = changed(changed(REQUEST, "detail.requested_by", "a\u202eda"), "detail.reason", "x\ny")

    (wish,) = read(asked)

    assert (wish.requested_by, wish.reason) == ("a\\u202eda", "x y")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (changed(changed(REQUEST, "detail.request_id", "a-1"), "detail.digest", "v2"), "a-1"),
        (changed(REQUEST, "detail.request_id", "a b"), None),
        (REQUEST, None),
        (changed(PUSH, "detail.request_id", "a-1"), None),
        (REQUEST | {"detail": "a-1"}, None),
        ("a-1", None),
    ],
)
def test_a_request_that_cannot_be_read_may_still_name_itself(
    event: object, expected: str | None
) -> None:
    assert refused_request_id(event) == (f"request:{expected}" if expected else None)


def test_a_success_is_promoted_with_the_same_digest_to_the_next_environment() -> None:
    assert read(SETTLED, succeeded()) == [
        Wish(
            wish_id="promotion:notes-staging-1:production",
            application="notes",
            environment="production",
            release=release(),
            origin=Origin.PROMOTION,
            requested_by="success of notes-staging-1",
        )
    ]


def test_an_old_image_that_a_person_asked_for_is_no_newer_in_the_next_environment() -> None:
    world = succeeded()
    pushed_at = START - timedelta(days=30)
    plan = world.deployment.planned()
    image = plan.image.model_copy(update={"pushed_at": pushed_at})
    seen = plan.model_copy(update={"image": image})
    world.rewrite(explicit=True, origin=Origin.REQUEST)
    world.rewrite_plan(seen)

    (wish,) = read(SETTLED, world)

    assert wish.release == release().model_copy(update={"pushed_at": pushed_at})


def test_a_push_that_a_person_asked_for_as_well_stays_as_new_as_its_push() -> None:
    world = succeeded()
    plan = world.deployment.planned()
    image = plan.image.model_copy(update={"pushed_at": START - timedelta(days=30)})
    world.rewrite(explicit=True)
    world.rewrite_plan(plan.model_copy(update={"image": image}))

    assert read(SETTLED, world)[0].release == release()


def test_a_promotion_believes_the_record_and_not_the_event() -> None:
    world = World().deployed()
    world.rewrite(outcome=Outcome.ROLLED_BACK)

    assert refusal(SETTLED, world) == (
        Reason.NOT_MEANT_FOR_US,
        "notes-staging-1 did not succeed, so nothing is promoted.",
    )


def test_a_success_that_nobody_knows_is_refused() -> None:
    assert refusal(SETTLED) == (
        Reason.DEPLOYMENT_UNKNOWN,
        "There is no deployment 'notes-staging-1'.",
    )


def test_the_last_environment_is_promoted_nowhere() -> None:
    world = succeeded()
    world.rewrite(environment="production")

    assert read(SETTLED, world) == []


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=8,
)
_PATHS = st.sampled_from(
    [
        (event, path)
        for event in (PUSH, REQUEST, SETTLED)
        for path in [*event, *(f"detail.{name}" for name in event["detail"])]
    ]
)
KNOWN = succeeded()


@given(_JSON)
def test_any_json_is_a_wish_or_refused(event: object) -> None:
    with pytest.raises(Rejected):
        read(event, KNOWN)


@given(_PATHS, _JSON)
def test_an_event_with_any_field_of_any_shape_is_a_wish_or_refused(
    place: tuple[dict[str, Any], str], value: object
) -> None:
    event, path = place
    try:
        found = read(changed(event, path, value), KNOWN)
    except Rejected as refused:
        assert refused.message
    else:
        assert all(isinstance(wish, Wish) for wish in found)
        assert all(wish.release.pushed_at.tzinfo is not None for wish in found)


@pytest.mark.parametrize("name", ["admit", "admit-request"])
def test_the_sample_events_are_wishes(name: str) -> None:
    event = sample(name)
    settings = environment(push={"repository": "fastapi-rds", "tags": ["v*"]})

    assert [one.release.pushed_at for one in read(event, World(settings))] == [
        datetime(2026, 11, 20, 10, tzinfo=UTC)
    ]


def test_the_day_is_the_worlds() -> None:
    assert read(PUSH)[0].release.pushed_at == START


def test_a_request_may_say_where_the_schema_is() -> None:
    (wish,) = read(changed(REQUEST, "detail.schema_at", "0002_author"))

    assert wish.schema_at == "0002_author"


@pytest.mark.parametrize("text", ["", " ", "a b", "0002\n", "x" * 129, "$(id)"])
def test_a_request_names_the_schema_as_a_label_would(text: str) -> None:
    assert refusal(changed(REQUEST, "detail.schema_at", text))[0] is Reason.EVENT_MALFORMED
