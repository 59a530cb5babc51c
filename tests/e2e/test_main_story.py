"""The shipped catalog entry from the first push to production, and the sample events on it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from cloud.embedded import Cloud
from demo.approver import decide
from slipway.domain.deployment import Deployment, Origin, Phase
from slipway.domain.outcome import Outcome
from slipway.domain.progress import SchemaWork
from tests.builders.samples import names, sample
from tests.e2e.functions import invoke
from tests.e2e.stage import Lane
from tests.e2e.terminal import Terminal, standing

STARTED, ASKED, LIVE = "deployment started", "waiting for approval", "live and verified"


@dataclass(frozen=True)
class Story:
    """Version 1 on its way: both lanes, and the deployment that ended on each."""

    staging: Lane
    production: Lane
    on_staging: Deployment
    on_production: Deployment


@pytest.fixture(scope="module")
def story(cloud: Cloud) -> Iterator[Story]:
    cloud.build("fastapi-rds", desired_count=2)
    staging, production = (Lane(cloud, "fastapi-rds", name) for name in ("staging", "production"))
    digest = staging.push("v1")
    on_staging = staging.ended(digest)
    waiting = production.reached(digest, Phase.AWAITING_APPROVAL)
    decide(production.approval_link(waiting), "approve", "grace", "Looks good.")
    yield Story(staging, production, on_staging, production.settled(waiting.deployment_id))
    for each in (staging, production):
        each.clear_away()


def test_a_push_goes_live_on_staging_by_itself(story: Story) -> None:
    deployment = story.on_staging

    assert (deployment.outcome, deployment.origin, deployment.requested_by) == (
        Outcome.SUCCEEDED,
        Origin.PUSH,
        "push of fastapi-rds:v1",
    )
    assert story.staging.serves() == "1"
    assert story.staging.execution(deployment)["status"] == "SUCCEEDED"
    assert story.staging.told(deployment) == [STARTED, LIVE]


def test_what_succeeded_is_promoted_and_goes_live_once_a_person_approves(story: Story) -> None:
    deployment = story.on_production
    approval = story.production.records.approval(deployment.deployment_id)

    assert (deployment.outcome, deployment.origin, deployment.requested_by) == (
        Outcome.SUCCEEDED,
        Origin.PROMOTION,
        f"success of {story.on_staging.deployment_id}",
    )
    assert approval is not None and approval.decision is not None
    assert (approval.decision.by, approval.digest) == ("grace", story.on_staging.release.digest)
    assert story.production.serves() == "1"
    assert story.production.told(deployment) == [STARTED, ASKED, LIVE]
    told = story.production.message(deployment, LIVE)
    assert told.index('"*Approved by*"') < told.index('"grace: Looks good."')


@pytest.mark.parametrize("which", ["staging", "production"])
def test_the_database_was_backed_up_before_its_schema_moved(story: Story, which: str) -> None:
    lane: Lane = getattr(story, which)
    deployment: Deployment = getattr(story, f"on_{which}")
    progress = deployment.progress
    found = lane.cloud.client("rds").describe_db_snapshots(
        DBSnapshotIdentifier=f"slipway-{deployment.deployment_id}"
    )["DBSnapshots"]

    assert [(s["Status"], s["PercentProgress"]) for s in found] == [("available", 100)]
    (backup,) = progress.backups.values()
    assert backup.ended_at is not None
    assert backup.ended_at <= progress.schema_tasks[SchemaWork.UP].requested_at


def test_the_record_tells_the_whole_story(story: Story) -> None:
    gates = [
        "gate: digest",
        "gate: image",
        "gate: platform",
        "gate: scan",
        "gate: earlier environment",
        "gate: alarms",
        "gate: rollback target",
        "gate: checks",
    ]

    assert story.production.noted(story.on_production) == [
        "admitted",
        "planned",
        *gates,
        "approval requested",
        "approval decided",
        "lane taken",
        *gates,
        "snapshot requested",
        "snapshot started",
        "snapshot verified",
        "revision requested",
        "revision registered",
        "migration requested",
        "migration started",
        "migration ended",
        "migration log",
        "rollout requested",
        "rollout started",
        "rollout completed",
        "release baking",
        "release verified",
        "settled",
    ]


# ------------------------------------------------------------------------- The sample events
# What each function answers to its samples once the story is over.
ENDED = "DeploymentEnded: {} has ended: Succeeded."
STAGING_1, PRODUCTION_1 = "fastapi-rds-staging-1", "fastapi-rds-production-1"
SUCCEEDED = {"outcome": "Succeeded", "reason": "", "message": ""}
TOLD: dict[str, list[str]] = {"batchItemFailures": []}
ANSWERS: dict[str, Any] = {
    "admit-promotion": [
        {
            "deployment_id": PRODUCTION_1,
            "lane": "fastapi-rds/production",
            "new": False,
            "reason": "",
        }
    ],
    # Outside events wake whoever is parked for them, and nobody is any more.
    "approve-decided": [],
    "backup-cluster-snapshot": [],
    "backup-snapshot": [],
    "check-scanned": [],
    "deploy-completed": [],
    "enter-settled": [],
    "migrate-stopped": [],
    # What has ended is not done again.
    "approve": ENDED.format(PRODUCTION_1),
    "backup": ENDED.format(STAGING_1),
    "check": ENDED.format(STAGING_1),
    "deploy": ENDED.format(STAGING_1),
    "enter": ENDED.format(STAGING_1),
    "migrate": ENDED.format(STAGING_1),
    "plan": ENDED.format(STAGING_1),
    "rollback": ENDED.format(STAGING_1),
    "verify": ENDED.format(STAGING_1),
    "verify-rollback": ENDED.format(STAGING_1),
    "settle": SUCCEEDED,
    "settle-stopped": SUCCEEDED,
    # What was told before is not told again.
    "notify": TOLD,
    "notify-again": TOLD,
}
PAGES = {
    "web": (403, "This link is invalid"),
    "web-decision": (403, "This link is invalid"),
    "web-health": (200, '{"status": "ok"}'),
    "web-status": (403, "This link is invalid"),
}
OTHERS = {"admit", "admit-request", "sweep"}


def _verb(name: str) -> str:
    return name.partition("-")[0]


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_a_function_answers_its_sample_event(story: Story, name: str) -> None:
    answer, error = invoke(story.staging.cloud, _verb(name), sample(name))

    if error is None:
        assert answer == ANSWERS[name]
    else:
        assert (error, answer["errorMessage"]) == ("Rejected", ANSWERS[name])


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_answers_its_sample_event(story: Story, name: str) -> None:
    answer, error = invoke(story.staging.cloud, "web", sample(name))

    status, text = PAGES[name]
    assert (error, answer["statusCode"], text in answer["body"]) == (None, status, True)


def test_the_sample_of_an_approval_shows_the_page_when_its_signature_is_right(story: Story) -> None:
    link = story.production.approval_link(story.on_production)
    event = json.loads(json.dumps(sample("web")).replace("5" * 64, link.partition("sig=")[2]))

    answer, error = invoke(story.production.cloud, "web", event)

    assert (error, answer["statusCode"]) == (None, 200)
    assert "grace" in answer["body"]


@pytest.mark.parametrize("name", ["admit", "admit-request"])
def test_a_sample_of_a_wish_is_admitted_once(story: Story, name: str) -> None:
    first, error = invoke(story.staging.cloud, "admit", sample(name))
    again, _ = invoke(story.staging.cloud, "admit", sample(name))

    assert (error, first[0]["lane"], first[0]["new"]) == (None, "fastapi-rds/staging", True)
    assert again == [{**first[0], "new": False}]
    # Nobody has pushed the image that it names.
    ended = story.staging.settled(first[0]["deployment_id"])
    assert ended.outcome in {Outcome.BLOCKED, Outcome.SUPERSEDED}


def test_the_sample_of_the_schedule_sweeps(story: Story) -> None:
    answer, error = invoke(story.staging.cloud, "sweep", sample("sweep"))

    assert (error, {"admitted", "settled", "started", "woken"} <= set(answer)) == (None, True)


def test_every_sample_event_is_played() -> None:
    assert set(names()) == {*ANSWERS, *PAGES, *OTHERS}


# ---------------------------------------------------- The commands that people are told to type
@pytest.fixture(scope="module")
def terminal(story: Story) -> Iterator[Terminal]:
    """A second terminal, beside a cloud on which version 1 is live."""
    with standing(story.staging.cloud) as opened:
        yield opened


def test_the_commands_of_the_pages_work_in_their_order(story: Story, terminal: Terminal) -> None:
    for command in terminal.printed():
        answer = terminal.types(command)

        assert answer.returncode == terminal.expected(command), (command, answer)
        assert "Traceback" not in answer.stderr + answer.stdout

    # The second release follows the first by the commands that are printed.
    assert [each.outcome for each in story.staging.all()[:1]] == [Outcome.SUCCEEDED]
    assert {"v2", "v3"} <= {each.release.tag for each in story.staging.all()}
    assert story.staging.serves() == "2"
    assert story.staging.state().hold is None


def test_what_waits_for_a_person_is_told_with_a_link_that_opens(
    story: Story, terminal: Terminal
) -> None:
    said = terminal.types("make waiting").stdout
    link = re.findall(r"http://\S+/approvals/\S+", said)[-1]

    assert "waits for ada or grace" in said
    assert requests.get(link, timeout=30).status_code == 200


def test_a_push_of_what_is_live_says_that_nothing_started(terminal: Terminal) -> None:
    answer = terminal.types("make push VERSION=v2")

    assert answer.returncode == 0
    assert "nothing started:" in answer.stdout
    assert "is live on fastapi-rds/staging already" in answer.stdout


def test_the_settings_of_the_cloud_are_those_of_the_tools(story: Story, terminal: Terminal) -> None:
    said = terminal.types('eval "$(make env)" && echo "$AWS_ENDPOINT_URL $SLIPWAY_TWIN"').stdout

    cloud = story.staging.cloud
    assert said == f"{cloud.ministack.endpoint_url} {cloud.twin.url}\n"
