"""Every refusal names a way on: the command that it names is typed, and the release goes on."""

import re
import shlex

import pytest

from slipway.domain.approval import Answer
from slipway.domain.deployment import Phase
from slipway.domain.errors import Rejected
from slipway.domain.failure import Failure
from slipway.domain.lane import Candidate, Hold
from slipway.domain.outcome import Outcome
from tests.builders.documents import NEW, OLD, OTHER, START, environment, image, stable
from tests.builders.terminals import Operator
from tests.builders.wished import event, pushed, refusal
from tests.builders.worlds import World

HOLD = Hold(reason="RolledBack", message="/health answered 500.", by="notes-staging-9", since=START)


@pytest.fixture
def operator(capsys: pytest.CaptureFixture[str]) -> Operator:
    """In front of a lane on which NEW has been pushed and planned."""
    world = World(environment(approval={"approvers": ["ada"]}))
    world.registry.images["notes", OTHER] = image(OTHER)
    world.registry.images["notes", OLD] = image(OLD)
    pushed(world, event("e1"))
    world.plan()
    return Operator(world, capsys)


COMMAND = re.compile(
    r"operate (?:lift [a-z0-9/-]+|cancel [a-z0-9-]+"
    r"|deploy [a-z0-9/-]+ --digest sha256:[0-9a-f]{64} --reason \.\.\.(?: --replace)?)"
)


def commands(message: str) -> list[list[str]]:
    """The commands that a sentence names, as a person types them."""
    typed = [shlex.split(one) for one in COMMAND.findall(message)]
    return [["fixes it" if word == "..." else word for word in words[1:]] for words in typed]


def refused(operator: Operator) -> str:
    """Why the check refuses the deployment."""
    with pytest.raises(Rejected) as found:
        operator.world.check()
    operator.world.rewrite(
        outcome=Outcome.BLOCKED,
        phase=Phase.SETTLED,
        failure=Failure(
            state="Check",
            error="Rejected",
            reason=found.value.reason,
            message=found.value.message,
        ),
        settled_at=operator.world.now,
    )
    return found.value.message


def goes_on(operator: Operator, command: list[str]) -> None:
    """The command is understood, and the release that was refused passes the rules now."""
    operator.says(*command, "--by", "ada")
    world = operator.world
    newest = world.lane.newest
    assert newest is not None
    world.deployment_id = newest.deployment_id
    world.lane.refuse(newest.deployment_id, NEW, explicit=newest.explicit)
    assert (world.deployment.outcome, newest.digest) == (None, NEW)


def test_a_held_release_goes_on_when_it_is_requested(operator: Operator) -> None:
    operator.world.rewrite_lane(hold=HOLD)

    lift, deploy = commands(refused(operator))

    assert lift == ["lift", "notes/staging"]
    goes_on(operator, deploy)


def test_a_held_release_goes_on_when_the_hold_is_lifted_and_it_is_pushed_again(
    operator: Operator,
) -> None:
    operator.world.rewrite_lane(hold=HOLD)
    lift, _ = commands(refused(operator))

    operator.says(*lift, "--by", "ada")
    result = pushed(operator.world, event("e2", after=60))

    assert result.new is True
    operator.world.lane.refuse(result.deployment_id, NEW, explicit=False)


def test_a_held_release_goes_on_by_the_command_that_lift_names(operator: Operator) -> None:
    operator.world.rewrite_lane(hold=HOLD)
    lift, _ = commands(refused(operator))

    (deploy,) = commands(operator.says(*lift, "--by", "ada").splitlines()[-1])

    goes_on(operator, deploy)


def test_a_bad_digest_goes_on_when_it_is_requested(operator: Operator) -> None:
    operator.world.rewrite_lane(bad_digests={NEW: "notes-staging-0"})

    (deploy,) = commands(refused(operator))

    goes_on(operator, deploy)


def test_a_bad_digest_that_is_pushed_again_goes_on_when_it_is_requested(operator: Operator) -> None:
    operator.world.rewrite_lane(bad_digests={NEW: "notes-staging-0"})
    refused(operator)

    (deploy,) = commands(refusal(operator.world, event("e2", after=60))[1])

    goes_on(operator, deploy)


def test_a_live_digest_that_is_pushed_again_goes_on_when_it_is_requested(
    operator: Operator,
) -> None:
    world = operator.world
    world.rewrite(outcome=Outcome.SUCCEEDED)
    world.rewrite_lane(stable=stable(digest=NEW, deployment_id="notes-staging-1"))

    (deploy,) = commands(refusal(world, event("e2", after=60))[1])

    goes_on(operator, deploy)


def test_a_superseded_release_goes_on_when_it_is_requested(operator: Operator) -> None:
    pushed(operator.world, event("e2", OTHER, "v3", after=60))

    (deploy,) = commands(refused(operator))

    # The newer one waits, so the command line asks for --replace and names the whole command.
    (replace, cancel) = commands(operator.refused(*deploy, "--by", "ada"))
    assert (replace[-1], cancel) == ("--replace", ["cancel", "notes-staging-2"])
    goes_on(operator, replace)


def test_an_expired_approval_says_that_the_release_is_to_be_requested_again(
    operator: Operator,
) -> None:
    operator.world.approve()
    operator.world.wait(days=2)

    with pytest.raises(Rejected, match="run operate deploy") as found:
        operator.world.approve()
    operator.world.rewrite(outcome=Outcome.EXPIRED, phase=Phase.SETTLED)
    assert str(found.value).startswith("ApprovalExpired: Nobody decided by 2026-11-22 09:00Z.")
    goes_on(operator, ["deploy", "notes/staging", "--digest", NEW, "--reason", "again"])


def test_a_rejected_release_is_asked_for_again(operator: Operator) -> None:
    operator.world.approve()
    operator.world.decide(Answer.REJECT)
    operator.world.rewrite(outcome=Outcome.REJECTED, phase=Phase.SETTLED)

    goes_on(operator, ["deploy", "notes/staging", "--digest", NEW, "--reason", "again"])


def test_a_cancelled_release_is_asked_for_again(operator: Operator) -> None:
    operator.says("cancel", "notes-staging-1", "--by", "ada")

    with pytest.raises(Rejected, match="Cancelled by ada"):
        operator.world.check()
    goes_on(operator, ["deploy", "notes/staging", "--digest", NEW, "--reason", "again"])


def test_what_is_live_and_cannot_be_cancelled_any_more_is_gone_back_from(
    operator: Operator,
) -> None:
    world = operator.world
    world.rewrite(outcome=Outcome.SUCCEEDED, rollback_target=stable())

    (back,) = commands(operator.refused("cancel", "notes-staging-1", "--by", "ada"))

    operator.says(*back, "--by", "ada")
    newest = world.lane.newest
    assert isinstance(newest, Candidate)
    assert (newest.digest, newest.explicit) == (OLD, True)


def test_what_has_failed_and_cannot_be_cancelled_any_more_says_so(operator: Operator) -> None:
    operator.world.rewrite(outcome=Outcome.FAILED)

    assert operator.refused("cancel", "notes-staging-1", "--by", "ada") == (
        "notes-staging-1 has ended: Failed. There is nothing left to cancel; to replace "
        "this release, deploy another one."
    )
