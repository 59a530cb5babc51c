"""Payloads as AWS documents them and as others have recorded them: who is started, who is woken.

Every file of recorded/ says where its payload comes from.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from cloud.simulation.template import template as simulated
from slipway.domain.errors import Rejected
from slipway.requests.wishes import wishes
from slipway.runtime.hints import hints
from slipway.steps.execution_end import settle_request
from tests.builders.documents import environment
from tests.builders.worlds import World
from tests.unit.stack import functions, matches, rules

RECORDED = {path.stem: path for path in sorted((Path(__file__).parent / "recorded").glob("*.json"))}
ACCOUNT, REGION = "000000000000", "us-east-1"
DIGEST = "sha256:" + "ab" * 32
SCAN = f"scan:fastapi-rds@{DIGEST}"
SNAPSHOT = "snapshot:slipway-fastapi-rds-staging-1"
TASK = "task:slipway/migrate/fastapi-rds-staging-1"
SERVICE = "service:arn:aws:ecs:us-east-1:000000000000:service/fastapi-rds-staging/api"

# The functions that are started, and the keys under which a step is woken there.
RECEIVERS: dict[str, tuple[list[str], tuple[str, ...]]] = {
    "cw-alarm-doc": ([], ()),
    "ecr-archive-doc": ([], ()),
    "ecr-pull-through-doc": ([], ()),
    "ecr-push-buildx-attestation-index": (["admit"], ()),
    "ecr-push-failed": ([], ()),
    "ecr-push-tagged-doc": (["admit"], ()),
    "ecr-push-untagged-empty-tag-2025": ([], ()),
    "ecr-push-untagged-no-tag": ([], ()),
    "ecr-restore-doc": ([], ()),
    "ecr-scan-complete-doc": (["check"], (SCAN,)),
    "ecs-deploy-completed-2022": (["deploy", "rollback"], (SERVICE,)),
    "ecs-deploy-completed-clusterArn": (["deploy", "rollback"], (SERVICE,)),
    "ecs-deploy-failed-doc": (["deploy", "rollback"], (SERVICE,)),
    "ecs-deploy-in-progress-clusterArn-2025": ([], ()),
    "ecs-deploy-rollback-in-progress-doc": ([], ()),
    "ecs-hook-awaiting": ([], ()),
    "ecs-service-placement-failure-doc": ([], ()),
    "ecs-service-steady-doc": ([], ()),
    "ecs-task-no-startedBy": ([], ()),
    "ecs-task-running-migration": ([], ()),
    "ecs-task-spot-doc": ([], ()),
    "ecs-task-stopped-migration": (["migrate"], (TASK,)),
    "inspector2-scan-initial": (["check"], (SCAN,)),
    "rds-0040-creating": (["backup"], (SNAPSHOT,)),
    "rds-0042-created": (["backup"], (SNAPSHOT,)),
    "rds-0042-created-with-tags": (["backup"], (SNAPSHOT,)),
    "rds-0091-automated-db-arn": ([], ()),
    "rds-cluster-0074-doc": ([], ()),
    "rds-cluster-0075-created": (["backup"], (SNAPSHOT,)),
    "rds-cluster-0169-automated": ([], ()),
    # The fallback timer looks.
    "rds-manual-with-rds-prefix": ([], ()),
    "sfn-aborted-doc": (["settle"], ()),
    "sfn-failed-doc": (["settle"], ()),
    "sfn-running-doc": ([], ()),
    "sfn-succeeded-doc": ([], ()),
}
PUSHES = ["ecr-push-buildx-attestation-index", "ecr-push-tagged-doc"]


def payload(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(RECORDED[name].read_text())["payload"]
    return found


def world() -> World:
    return World(environment(push={"repository": "fastapi-rds", "tags": ["v*"]}))


def test_every_recorded_payload_has_its_receivers_named() -> None:
    assert sorted(RECORDED) == sorted(RECEIVERS)


@pytest.mark.parametrize("name", RECEIVERS)
def test_a_recorded_event_starts_the_functions_that_it_is_meant_for(name: str) -> None:
    started = [
        verb
        for verb in functions()
        if any(matches(rule["Pattern"], payload(name)) for rule in rules(verb).values())
    ]

    assert started == RECEIVERS[name][0]


@pytest.mark.parametrize("name", RECEIVERS)
def test_the_simulator_delivers_a_recorded_event_to_the_same_functions(name: str) -> None:
    event = payload(name)
    known = simulated().rules.get(("default", event["source"], event["detail-type"]), ())

    assert sorted(rule.function for rule in known if rule.accepts(event)) == RECEIVERS[name][0]


@pytest.mark.parametrize("name", RECEIVERS)
def test_a_recorded_event_names_the_keys_that_steps_wait_for(name: str) -> None:
    keys = hints(payload(name), ACCOUNT)

    if RECEIVERS[name][0]:
        assert keys == RECEIVERS[name][1]
    else:
        assert not {SCAN, SNAPSHOT, TASK} & set(keys) or name == "ecs-task-running-migration"


@pytest.mark.parametrize("name", RECEIVERS)
def test_a_recorded_event_is_a_wish_only_where_it_is_a_tagged_push(name: str) -> None:
    known = world()
    try:
        found = wishes(
            payload(name),
            account=ACCOUNT,
            region=REGION,
            catalog=known.catalog,
            records=known.records,
        )
    except Rejected as refused:
        assert name not in PUSHES
        assert refused.message
    else:
        assert name in PUSHES
        assert [(one.release.tag, one.release.digest) for one in found] == [("v9", DIGEST)]


@pytest.mark.parametrize("name", [name for name in RECEIVERS if name.startswith("sfn-")])
def test_a_recorded_end_of_an_execution_settles_what_does_not_run_any_more(name: str) -> None:
    known = world()
    known.deployment_id = "notes-staging-1"
    known.entered()
    known.executions.ended.add("notes-staging-1")
    event = payload(name)
    event["detail"]["name"] = "notes-staging-1"

    request = settle_request(event, records=known.records, executions=known.executions)

    assert request.failure is not None
    assert event["detail"]["status"] in request.failure.cause
