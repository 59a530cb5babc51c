"""A one-off task is placed, tagged and given volumes as the service's own tasks are."""

from typing import Any

import pytest

from slipway.adapters.ecs.one_offs import EcsOneOffs
from tests.builders.documents import TARGET
from tests.integration.adapters.ecs_answers import NEW, OLD, TASK, a_service, services
from tests.integration.adapters.stubbed import stubbed


def sent(**service: Any) -> dict[str, Any]:
    """What RunTask is sent for this service, but for what names the task itself."""
    told: dict[str, Any] = {}
    with stubbed("ecs") as (ecs, stub), stubbed("logs") as (logs, _):
        ecs.meta.events.register(
            "provide-client-params.ecs.RunTask", lambda params, **_: told.update(params)
        )
        asked = {"cluster": TARGET.cluster, "services": [TARGET.service], "include": ["TAGS"]}
        stub.add_response("describe_services", services(a_service(**service)), asked)
        stub.add_response("run_task", {"tasks": [{"taskArn": TASK}]})
        EcsOneOffs(ecs, logs).run(TARGET, NEW, ["true"], "slipway/migrate/notes-1")
    itself = ("cluster", "taskDefinition", "count", "overrides", "startedBy", "clientToken")
    usual = ("networkConfiguration", "platformVersion", "launchType")
    return {name: value for name, value in told.items() if name not in (*itself, *usual)}


def with_volumes(*volumes: dict[str, Any]) -> dict[str, Any]:
    primary = {"id": "ecs-svc/2", "status": "PRIMARY", "taskDefinition": OLD}
    before = {"id": "ecs-svc/1", "status": "ACTIVE", "taskDefinition": OLD}
    stale = [{"name": "old", "managedEBSVolume": {"roleArn": ROLE, "sizeInGiB": 1}}]
    return {
        "deployments": [
            {**before, "volumeConfigurations": stale},
            {**primary, "volumeConfigurations": list(volumes)},
        ]
    }


ROLE = "arn:aws:iam::000000000000:role/ebs"


def test_nothing_is_named_that_the_service_does_not_have() -> None:
    assert sent(placementConstraints=[], placementStrategy=[], enableECSManagedTags=False) == {}


def test_constraints_and_strategies_are_the_services() -> None:
    constraints = [{"type": "memberOf", "expression": "attribute:tier == web"}]
    strategy = [{"type": "spread", "field": "attribute:ecs.availability-zone"}]

    assert sent(placementConstraints=constraints, placementStrategy=strategy) == {
        "placementConstraints": constraints,
        "placementStrategy": strategy,
    }


def test_tags_that_come_from_the_task_definition_come_from_there() -> None:
    assert sent(propagateTags="TASK_DEFINITION", enableECSManagedTags=True) == {
        "propagateTags": "TASK_DEFINITION",
        "enableECSManagedTags": True,
    }


def test_tags_that_come_from_the_service_are_sent_themselves() -> None:
    """RunTask refuses SERVICE, and nobody may write AWS's own tags."""
    tags = [
        {"key": "cost-center", "value": "7"},
        {"key": "aws:cloudformation:stack-name", "value": "web"},
    ]

    assert sent(propagateTags="SERVICE", tags=tags) == {"tags": tags[:1]}


@pytest.mark.parametrize("propagate", ["NONE", "SERVICE"])
def test_without_tags_none_are_sent(propagate: str) -> None:
    assert sent(propagateTags=propagate) == {}


def test_the_services_tags_stay_its_own_unless_it_hands_them_on() -> None:
    assert sent(tags=[{"key": "cost-center", "value": "7"}]) == {}


def test_a_volume_that_is_configured_at_launch_is_the_primary_deployments() -> None:
    volume = {"roleArn": ROLE, "sizeInGiB": 20, "volumeType": "gp3", "encrypted": True}

    assert sent(**with_volumes({"name": "scratch", "managedEBSVolume": volume})) == {
        "volumeConfigurations": [
            {
                "name": "scratch",
                "managedEBSVolume": {**volume, "terminationPolicy": {"deleteOnTermination": True}},
            }
        ]
    }


def test_a_volume_takes_no_tags_of_a_service_that_a_task_does_not_have() -> None:
    tags = [{"key": "team", "value": "web"}]
    specification = {"resourceType": "volume", "tags": tags, "propagateTags": "SERVICE"}
    volume = {"roleArn": ROLE, "tagSpecifications": [specification]}

    (told,) = sent(**with_volumes({"name": "scratch", "managedEBSVolume": volume}))[
        "volumeConfigurations"
    ]
    assert told["managedEBSVolume"]["tagSpecifications"] == [
        {"resourceType": "volume", "tags": tags}
    ]
