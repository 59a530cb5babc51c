"""What is no container image starts nothing, and a registry that gives no answer loses no push."""

from typing import Any

import pytest

from slipway.domain.deployment import Origin
from slipway.domain.errors import Broken, Reason, Transient
from slipway.domain.release import Pushed
from slipway.requests.wishes import push_wish
from tests.builders.documents import OTHER, START, environment, release
from tests.builders.wished import (
    asked,
    event,
    once,
    pushed,
    refusal,
)
from tests.builders.worlds import World

# ----------------------------------------------------------------------- what is no image at all


@pytest.mark.parametrize(
    ("what", "detail", "told"),
    [
        ("a Helm chart", {}, "a Helm chart"),
        ("a cosign signature", {"image-tag": f"sha256-{'ab' * 32}.sig"}, "a cosign signature"),
        (
            None,
            {"artifact-media-type": "application/vnd.cncf.helm.config.v1+json"},
            "an artifact of type application/vnd.cncf.helm.config.v1+json",
        ),
        (
            None,
            {"image-tag": f"sha256-{'ab' * 32}.sig"},
            "an attachment to an image, such as a signature",
        ),
        (
            None,
            {"image-tag": f"sha256-{'ab' * 32}"},
            "an attachment to an image, such as a signature",
        ),
    ],
)
def test_what_is_no_container_image_supersedes_nothing(
    what: str | None, detail: dict[str, Any], told: str
) -> None:
    world = World(environment(push={"repository": "notes", "tags": ["*"]}))
    pushed(world, event("e1"))
    if what is not None:
        world.registry.artifacts[OTHER] = what
    before = world.lane

    reason, message = refusal(world, event("e2", OTHER, after=60, **detail))

    assert reason is Reason.NOT_AN_IMAGE
    assert f"is not a container image: {told}." in message
    assert "narrow push.tags in the catalog" in message
    assert (world.lane, once(world)) == (before, True)


def test_an_artifact_is_refused_in_the_same_words_when_the_sweep_finds_it() -> None:
    world = World()
    world.registry.artifacts[OTHER] = "a Helm chart"
    refused = refusal(world, event("e1", OTHER))
    found = push_wish("notes", "staging", release(OTHER), Origin.SWEEP)

    assert world.records.admission(found.wish_id) is not None
    assert refusal(world, found) == refused


def test_a_request_for_what_is_no_image_replaces_nothing_either() -> None:
    world = World()
    pushed(world, event("e1"))
    world.registry.artifacts[OTHER] = "a Helm chart"

    assert refusal(world, asked(OTHER, replace=True))[0] is Reason.NOT_AN_IMAGE
    assert world.lane.superseded_by("notes-staging-1") is None


def test_an_image_with_a_media_type_that_the_event_does_not_know_is_believed_to_the_registry() -> (
    None
):
    odd: dict[str, Any] = {"artifact-media-type": "application/x-odd"}

    assert pushed(World(), event("e1", **odd)).new is True


@pytest.mark.parametrize(
    "failure",
    [
        Broken(Reason.AWS_REFUSED, "DescribeImages: not authorized."),
        None,
    ],
)
def test_a_registry_that_refuses_us_loses_no_push(failure: Exception | None) -> None:
    world = World()

    def refuse(repository: str, digest: str) -> Pushed | None:
        if failure is not None:
            raise failure
        return None

    world.registry.looked_up = refuse  # type: ignore[method-assign]

    assert pushed(world, event("e1")).new is True
    assert world.deployment.release.pushed_at == START


def _busy(repository: str, digest: str) -> Pushed | None:
    raise Transient(Reason.AWS_UNAVAILABLE, "ECR is busy.")


def test_nothing_is_taken_for_an_image_while_the_registry_is_busy() -> None:
    world = World()
    looked_up = world.registry.looked_up
    world.registry.looked_up = _busy  # type: ignore[method-assign]

    with pytest.raises(Transient):
        pushed(world, event("e1"))
    world.registry.looked_up = looked_up  # type: ignore[method-assign]

    assert pushed(world, event("e1")).new is True


def test_a_person_is_answered_while_the_registry_is_busy() -> None:
    world = World()
    world.registry.looked_up = _busy  # type: ignore[method-assign]

    assert world.admit(asked()).new is True
