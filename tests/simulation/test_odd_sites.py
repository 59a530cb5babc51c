"""What a site may answer beside its page, in whole deployments."""

from collections.abc import Callable
from typing import Any

import pytest

from cloud.simulation.faults import Plan
from cloud.simulation.run import Run
from cloud.simulation.scenarios import GOOD, SHOP, Story
from slipway.domain.outcome import Outcome

Answer = dict[str, Any]
LOGIN: Answer = {"status": 302, "body": b"", "headers": {"Location": "/login"}}
PAGE: Answer = {"status": 200, "body": b"<html>Sign in</html>"}
OTHERS: Answer = {"status": 200, "body": b'{"version": "7"}'}


def _sign_in(url: str) -> Answer:
    return PAGE if url.endswith("/login") else LOGIN


def _story(name: str, says: Callable[[str], Answer | None], state: str, ends: Outcome) -> Story:
    """A push to a site that answers like this from a state on."""

    def begin(run: Run) -> None:
        def turns() -> None:
            run.cloud.web.override = says

        run.approver(lambda deployment_id: "approve", 30.0)
        run.when(SHOP, state, turns)
        run.at(5.0, lambda: run.push(GOOD, f"v{GOOD.version}"))

    return Story(name, begin, {SHOP: ends})


@pytest.mark.parametrize(
    "story",
    [
        _story("the checks lead to a login page already", _sign_in, "Plan", Outcome.BLOCKED),
        _story("they do since the approval", _sign_in, "Enter", Outcome.BLOCKED),
        _story("another service answers", lambda _: OTHERS, "Verify", Outcome.ROLLBACK_FAILED),
        _story("the site is as it was", lambda _: None, "Plan", Outcome.SUCCEEDED),
    ],
    ids=lambda story: story.name,
)
def test_a_site_with_odd_answers_ends_as_it_should(story: Story) -> None:
    assert Run(story, Plan(), seed=1).finish().violations == []
