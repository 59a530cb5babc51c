"""The template grants what the code calls, and tells nobody what it should not."""

import re
from datetime import timedelta
from typing import Any

import pytest

from slipway.adapters import items
from slipway.domain.progress import LONGEST_FUNCTION
from slipway.runtime.settings import Settings
from slipway.waits import WAITS
from tests.builders.samples import sample
from tests.unit import grants, hardening
from tests.unit.calls import call_violations, client_violations, grant_violations
from tests.unit.grants import saying
from tests.unit.reach import reached
from tests.unit.source import ROOT
from tests.unit.stack import (
    EVENTS,
    actions,
    functions,
    granted,
    matches,
    resources,
    rules,
    statements,
    template,
)

VERBS = [
    "admit",
    "plan",
    "check",
    "approve",
    "enter",
    "backup",
    "migrate",
    "deploy",
    "verify",
    "rollback",
    "settle",
    "sweep",
    "notify",
    "web",
]
GRANTS = [(verb, one) for verb in VERBS for one in statements(functions()[verb])]
RULES = [(verb, name, rule) for verb in VERBS for name, rule in rules(verb).items()]

# Who may change what: everything else that changes anything is Slipway's own.
CHANGES_THE_USERS_SYSTEMS = {
    "ecs:UpdateService": ["deploy", "rollback"],
    "ecs:RegisterTaskDefinition": ["migrate", "deploy", "rollback"],
    "ecs:RunTask": ["migrate", "rollback"],
    "ecs:StopTask": ["migrate", "rollback"],
    "rds:CreateDBSnapshot": ["backup"],
    "rds:CreateDBClusterSnapshot": ["backup"],
}
# AWS defines no resource for these, or asks for all of them.
WITHOUT_A_RESOURCE = {
    "cloudwatch:DescribeAlarms",
    "ecs:RegisterTaskDefinition",
    "ecs:TagResource",
}


def test_the_functions_are_those_of_the_architecture_each_with_its_own_folder_and_role() -> None:
    assert sorted(functions()) == sorted(VERBS)
    assert {verb: one["CodeUri"] for verb, one in functions().items()} == {
        verb: f"functions/{verb}" for verb in VERBS
    }
    assert [verb for verb, one in functions().items() if "Role" in one] == []
    assert "Role" not in resources("AWS::Serverless::StateMachine")["DeploymentStateMachine"]
    assert resources("AWS::IAM::Role") == {}


def test_every_role_has_exactly_the_grants_of_the_table() -> None:
    assert grants.violations(template()) == []


def test_a_function_is_granted_what_it_calls_and_nothing_else() -> None:
    assert grant_violations({verb: granted(verb) for verb in VERBS}) == []


def test_an_adapter_names_exactly_the_actions_that_it_calls() -> None:
    assert call_violations() == []


def test_only_the_composition_roots_make_clients() -> None:
    assert client_violations() == []


@pytest.mark.parametrize("verb", VERBS)
def test_a_function_may_say_exactly_what_it_says(verb: str) -> None:
    allowed = [one.condition for one in grants.GRANTS[verb] if one.action == "events:PutEvents"]
    said = reached(verb).published

    assert allowed == ([saying(*said)] if said else [])


def test_every_setting_that_keeps_something_is_as_it_must_be() -> None:
    assert hardening.violations(template()) == []


@pytest.mark.parametrize("action", CHANGES_THE_USERS_SYSTEMS)
def test_what_changes_the_users_systems_is_granted_to_the_named_functions_only(
    action: str,
) -> None:
    assert [verb for verb in VERBS if action in granted(verb)] == (
        CHANGES_THE_USERS_SYSTEMS[action]
    )


def test_no_grant_is_open() -> None:
    for verb, statement in GRANTS:
        assert set(statement) <= {"Effect", "Action", "Resource", "Condition"}, verb
        assert statement["Effect"] == "Allow"
        for action in actions(statement):
            service, _, name = action.partition(":")
            assert service, action
            assert name.isalnum(), action


def test_only_looking_is_granted_on_every_resource() -> None:
    for verb, statement in GRANTS:
        if statement["Resource"] == "*":
            changing = {
                action
                for action in actions(statement)
                if not action.partition(":")[2].startswith(("Describe", "List"))
            }
            assert changing <= WITHOUT_A_RESOURCE, verb


def test_alarms_are_asked_for_on_every_resource_or_composite_ones_are_not_told() -> None:
    # DescribeAlarms: "permission that is scoped to *" or no information about composite alarms.
    for verb, statement in GRANTS:
        if "cloudwatch:DescribeAlarms" in actions(statement):
            assert statement["Resource"] == "*", verb


def test_roles_are_handed_to_ecs_only() -> None:
    """To tasks; and by whoever runs tasks to ECS itself, which attaches their volumes."""
    passing = [(verb, one) for verb, one in GRANTS if "iam:PassRole" in actions(one)]
    services = {
        (verb, one["Condition"]["StringEquals"]["iam:PassedToService"]) for verb, one in passing
    }

    assert [list(one["Condition"]) for _, one in passing] == [["StringEquals"]] * len(passing)
    assert services == {
        ("migrate", "ecs-tasks.amazonaws.com"),
        ("migrate", "ecs.amazonaws.com"),
        ("deploy", "ecs-tasks.amazonaws.com"),
        ("rollback", "ecs-tasks.amazonaws.com"),
        ("rollback", "ecs.amazonaws.com"),
    }


@pytest.mark.parametrize("verb", VERBS)
def test_a_function_has_every_setting_that_it_reads(verb: str) -> None:
    """A setting without value is refused by name: that name has to be in the template."""
    here = functions()[verb].get("Environment", {}).get("Variables", {})
    given = {**template()["Globals"]["Function"]["Environment"]["Variables"], **here}
    read = {name for name in reached(verb).settings if hasattr(Settings, name)}

    assert {variable_of(name) for name in read} - set(given) - {"AWS_REGION"} == set()


def variable_of(setting: str) -> str:
    """The environment variable behind a setting."""
    asked: list[str] = []

    class Asked(dict[str, str]):
        def get(self, key: str, default: Any = None) -> Any:
            asked.append(key)
            return "value"

    getattr(Settings(Asked()), setting)
    return asked[0]


@pytest.mark.parametrize(("verb", "name", "rule"), RULES, ids=lambda value: str(value)[:20])
def test_our_own_events_come_over_our_own_bus_and_awss_over_the_default_one(
    verb: str, name: str, rule: dict[str, Any]
) -> None:
    ours = rule["Pattern"]["source"] == ["slipway"]

    assert rule.get("EventBusName") == ({"Ref": "Bus"} if ours else None)


def delivered(name: str) -> list[str]:
    """The functions that a sample event starts."""
    return [
        verb
        for verb in VERBS
        if any(matches(rule["Pattern"], sample(name)) for rule in rules(verb).values())
    ]


def test_every_sample_event_starts_the_function_that_it_is_a_sample_for() -> None:
    samples = [name for name in EVENTS if sample(name).get("source", "aws.events") != "aws.events"]

    assert {name: delivered(name) for name in samples if name in SAMPLES} == SAMPLES
    for name in samples:
        assert name.partition("-")[0] in delivered(name), name


SAMPLES = {
    "admit": ["admit"],
    "admit-promotion": ["admit", "enter"],
    "admit-request": ["admit"],
    "approve-decided": ["approve"],
    "backup-cluster-snapshot": ["backup"],
    "backup-snapshot": ["backup"],
    "check-scanned": ["check"],
    "deploy-completed": ["deploy", "rollback"],
    "enter-settled": ["enter"],
    "migrate-stopped": ["migrate"],
    "settle-stopped": ["settle"],
}


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("admit", {"action-type": "DELETE"}),
        ("admit", {"action-type": "UPDATE_STORAGE_CLASS"}),
        ("admit", {"result": "FAILURE"}),
        ("admit", {"image-tag": None}),
        ("admit-promotion", {"outcome": "Unknown"}),
        ("backup-cluster-snapshot", {"SourceIdentifier": "rds:notes-2026-11-21-03-04"}),
        ("backup-snapshot", {"SourceIdentifier": "rds:notes-2026-11-21-03-04"}),
        ("migrate-stopped", {"startedBy": "ecs-svc/1234567890123456789"}),
        ("migrate-stopped", {"lastStatus": "RUNNING"}),
        ("settle-stopped", {"status": "RUNNING"}),
        ("settle-stopped", {"status": "SUCCEEDED"}),
    ],
)
def test_an_event_that_means_nothing_to_a_function_does_not_start_it(
    name: str, changes: dict[str, Any]
) -> None:
    verb = name.partition("-")[0]
    event = sample(name)
    event["detail"] = {
        key: value for key, value in (event["detail"] | changes).items() if value is not None
    }

    assert [one for one, rule in rules(verb).items() if matches(rule["Pattern"], event)] == []


@pytest.mark.parametrize("step", [wait.step for wait in WAITS])
def test_the_sweep_wakes_exactly_the_step_that_waits(step: str) -> None:
    look_again = {
        "source": "slipway",
        "detail-type": "Look Again",
        "detail": {"deployment_id": "notes-staging-1", "lane": "notes/staging", "step": step},
    }

    woken = [
        verb
        for verb in VERBS
        if any(matches(rule["Pattern"], look_again) for rule in rules(verb).values())
    ]
    assert woken == [step]


def test_no_log_carries_what_a_state_was_called_with() -> None:
    # A task token is the right to answer for a step.
    def logged(value: Any) -> bool:
        if isinstance(value, dict):
            return value.get("IncludeExecutionData", False) is not False or any(
                logged(one) for one in value.values()
            )
        return isinstance(value, list) and any(logged(one) for one in value)

    assert not logged(template())


def test_the_table_has_the_indexes_and_the_stream_that_the_code_reads() -> None:
    table = resources("AWS::DynamoDB::Table")["Table"]

    indexes = {
        index["IndexName"]: [key["AttributeName"] for key in index["KeySchema"]]
        for index in table["GlobalSecondaryIndexes"]
    }
    assert indexes == {
        items.OPEN: ["unsettled", "requested_at"],
    }
    assert [one["Projection"] for one in table["GlobalSecondaryIndexes"]] == [
        {"ProjectionType": "KEYS_ONLY"}
    ]
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires", "Enabled": True}


def test_how_long_a_function_may_run_is_what_the_rules_wait_for() -> None:
    assert timedelta(seconds=template()["Globals"]["Function"]["Timeout"]) == LONGEST_FUNCTION


def test_what_slack_refuses_rings_an_alarm() -> None:
    told = resources("AWS::Logs::MetricFilter")["UntoldFilter"]
    alarm = resources("AWS::CloudWatch::Alarm")["UntoldAlarm"]
    (metric,) = told["MetricTransformations"]

    assert told["LogGroupName"] == {"Ref": "NotifyLog"}
    assert told["FilterPattern"] == '{ $.level = "ERROR" }'
    assert (metric["MetricNamespace"], metric["MetricName"], metric["MetricValue"]) == (
        alarm["Namespace"],
        alarm["MetricName"],
        "1",
    )
    assert (alarm["Statistic"], alarm["Threshold"], alarm["ComparisonOperator"]) == (
        "Sum",
        0,
        "GreaterThanThreshold",
    )


@pytest.mark.parametrize(
    ("parameter", "value", "good"),
    [
        ("ClusterArns", "", True),
        ("ClusterArns", "arn:aws:ecs:eu-west-1:123456789012:cluster/shop-*", True),
        ("ClusterArns", "arn:aws-cn:ecs:*:*:cluster/shop", True),
        ("ClusterArns", "shop", False),
        ("ClusterArns", "arn:aws:ecs:eu-west-1:123456789012:service/shop", False),
        ("TaskRoleArns", "", True),
        ("TaskRoleArns", "arn:aws:iam::123456789012:role/service/shop-*", True),
        ("TaskRoleArns", "shop-task", False),
        ("TaskRoleArns", "arn:aws:iam::123456789012:user/ada", False),
        ("LogGroupPattern", "*", True),
        ("LogGroupPattern", "/ecs/shop-*", True),
        ("LogGroupPattern", "", False),
        ("LogGroupPattern", "/ecs/shop:log-stream:x", False),
    ],
)
def test_a_narrowing_parameter_takes_what_iam_can_compare(
    parameter: str, value: str, good: bool
) -> None:
    # A name where an ARN belongs would be refused in the middle of a deployment only.
    allowed = template()["Parameters"][parameter]["AllowedPattern"]

    assert (re.fullmatch(allowed, value) is not None) is good


def test_the_security_page_says_what_every_function_may_say() -> None:
    page = (ROOT / "docs" / "security.md").read_text()
    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}

    assert {
        verb: set(re.findall(r"\*([A-Z][a-z]+ [A-Z][a-z]+)\*", rows[verb])) for verb in VERBS
    } == {verb: reached(verb).published for verb in VERBS}
