"""The proof of permissions and settings sees what is wrong: every change below is found.

Each case is the stack or the source with one thing changed, as a slip of the hand or a bad
intention would change it. Nothing is written; the checks are those of test_template.py.
"""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit import grants, hardening
from tests.unit.calls import call_violations, client_violations, grant_violations
from tests.unit.grants import here
from tests.unit.roles import Template
from tests.unit.source import edited
from tests.unit.stack import granted, template

Change = Callable[[Template], None]


def stack_violations(changed: Template) -> list[str]:
    """What is wrong in a template."""
    return [*grants.violations(changed), *hardening.violations(changed)]


def source_violations() -> list[str]:
    """What is wrong in the source, or with the grants of today's template for it."""
    return (
        call_violations()
        or client_violations()
        or grant_violations({verb: granted(verb) for verb in grants.GRANTS})
    )


def properties(whole: Template, name: str) -> Template:
    found: Template = whole["Resources"][name]["Properties"]
    return found


def statement(whole: Template, verb: str, action: str) -> Template:
    """The first statement of a function that grants an action."""
    policies = properties(whole, f"{verb.capitalize()}Function")["Policies"]
    return next(one for one in policies[0]["Statement"] if action in one["Action"])


def allows(verb: str, *actions: str, resource: Any = "*") -> Change:
    def change(whole: Template) -> None:
        policies = properties(whole, f"{verb.capitalize()}Function")["Policies"]
        new = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
        policies[0]["Statement"].append(new)

    return change


def in_grant(verb: str, action: str, **changes: Any) -> Change:
    """A statement with other parts; None takes one away."""

    def change(whole: Template) -> None:
        one = statement(whole, verb, action)
        one.update(changes)
        for name in [name for name, value in one.items() if value is None]:
            del one[name]

    return change


def without(verb: str, action: str) -> Change:
    return lambda whole: statement(whole, verb, action)["Action"].remove(action)


def at(name: str, *path: str, value: Any) -> Change:
    """A property of a resource with another value; None takes it away."""

    def change(whole: Template) -> None:
        *way, last = path
        place: Any = whole["Resources"][name]
        for step in way:
            place = place[step]
        if value is None:
            del place[last]
        else:
            place[last] = value

    return change


def adds(name: str, kind: str, **said: Any) -> Change:
    def change(whole: Template) -> None:
        whole["Resources"][name] = {"Type": kind, "Properties": said}

    return change


def queue_without_condition(whole: Template) -> None:
    policy = properties(whole, "UndeliveredPolicy")["PolicyDocument"]
    del policy["Statement"][0]["Condition"]


def machine_may(action: str) -> Change:
    def change(whole: Template) -> None:
        policies = properties(whole, "DeploymentStateMachine")["Policies"]
        new = {"Effect": "Allow", "Action": [action], "Resource": "*"}
        policies[0]["Statement"].append(new)

    return change


def url_for(name: str) -> Change:
    return at(name, "Properties", "FunctionUrlConfig", value={"AuthType": "NONE"})


ANY_TABLE = {"Fn::Sub": here("dynamodb", "table/*")}
ANY_MACHINE = {"Fn::Sub": here("states", "stateMachine:*")}
ANY_SNAPSHOT = {"Fn::Sub": here("rds", "snapshot:*")}
ANY_CLUSTER_SNAPSHOT = {"Fn::Sub": here("rds", "cluster-snapshot:*")}
ANY_SECRET = {"Fn::Sub": here("secretsmanager", "secret:*")}
ANY_DEPLOYMENT_MACHINE = {"Fn::Sub": here("states", "stateMachine:*-deployment")}
EVERYBODY = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:*"}]}
P = "Properties"

STACKS: dict[str, Change] = {
    # Actions.
    "one action more": allows("plan", "ecs:UpdateService"),
    "one action less": without("check", "states:SendTaskFailure"),
    "a wildcard for an action": allows("plan", "ecr:*"),
    "a wildcard inside an action": allows("migrate", "ecs:*ExecuteCommand"),
    "a shell in every container": allows("rollback", "ecs:ExecuteCommand"),
    "everything but an action": in_grant(
        "settle", "events:PutEvents", NotAction=["iam:CreateUser"], Action=None
    ),
    "a grant that denies": in_grant("admit", "states:StartExecution", Effect="Deny"),
    "a named managed policy": lambda whole: properties(whole, "DeployFunction")["Policies"].append(
        "arn:aws:iam::aws:policy/AmazonECS_FullAccess"
    ),
    "a policy from SAM's shelf": lambda whole: properties(whole, "PlanFunction")["Policies"].append(
        {"DynamoDBCrudPolicy": {"TableName": "*"}}
    ),
    "a policy beside the roles": adds(
        "Extra", "AWS::IAM::Policy", PolicyName="extra", PolicyDocument={}, Roles=["x"]
    ),
    "more rights for the state machine": machine_may("states:StartExecution"),
    "a wildcard for the state machine": machine_may("logs:*"),
    # Resources.
    "every resource": in_grant("admit", "dynamodb:GetItem", Resource="*"),
    "every table": in_grant("settle", "dynamodb:PutItem", Resource=ANY_TABLE),
    "every state machine": in_grant("admit", "states:StartExecution", Resource=ANY_MACHINE),
    "every snapshot": in_grant("backup", "rds:DescribeDBSnapshots", Resource=ANY_SNAPSHOT),
    "every cluster snapshot": in_grant(
        "backup", "rds:DescribeDBClusterSnapshots", Resource=ANY_CLUSTER_SNAPSHOT
    ),
    "every secret for the pages": in_grant(
        "web", "secretsmanager:GetSecretValue", Resource=ANY_SECRET
    ),
    "a wildcard in the middle of a resource": in_grant(
        "sweep", "states:StartExecution", Resource=ANY_DEPLOYMENT_MACHINE
    ),
    "everything but a resource": in_grant(
        "web", "secretsmanager:GetSecretValue", NotResource="x", Resource=None
    ),
    "tags on databases": in_grant(
        "backup", "rds:AddTagsToResource", Resource={"Fn::Sub": here("rds", "db:*")}
    ),
    # Conditions.
    "roles for any service": in_grant("deploy", "iam:PassRole", Condition=None),
    "roles for services of a pattern": in_grant(
        "migrate", "iam:PassRole", Condition={"StringLike": {"iam:PassedToService": "*"}}
    ),
    "any lane for the pages": in_grant("web", "dynamodb:PutItem", Condition=None),
    "any item for the pages": in_grant(
        "web",
        "dynamodb:PutItem",
        Condition={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["*"]}},
    ),
    "requests in the name of the pages": in_grant(
        "web",
        "events:PutEvents",
        Condition={
            "StringEquals": {
                "events:source": "slipway",
                "events:detail-type": ["Approval Decided", "Deployment Requested"],
            }
        },
    ),
    "events in any name": in_grant("enter", "events:PutEvents", Condition=None),
    "tasks on any cluster": in_grant("migrate", "ecs:RunTask", Condition=None),
    "tags on what exists": in_grant("deploy", "ecs:TagResource", Condition=None),
    "a queue for everybody": queue_without_condition,
    # Who may call and assume.
    "a role that anybody assumes": at(
        "SweepFunction", P, "AssumeRolePolicyDocument", value=EVERYBODY
    ),
    "another public function": url_for("SettleFunction"),
    "a call from another account": adds(
        "Guest",
        "AWS::Lambda::Permission",
        FunctionName={"Ref": "AdmitFunction"},
        Principal="123456789012",
        Action="lambda:InvokeFunction",
    ),
    "a bus for everybody": adds(
        "Open",
        "AWS::Events::EventBusPolicy",
        EventBusName={"Ref": "Bus"},
        StatementId="open",
        Principal="*",
        Action="events:PutEvents",
    ),
    "traces, which bring rights": at("PlanFunction", P, "Tracing", value="Active"),
    # Settings.
    "a table in the clear": at("Table", P, "SSESpecification", "SSEEnabled", value=False),
    "a table without a way back": at(
        "Table", P, "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled", value=False
    ),
    "a table that can be deleted": at("Table", P, "DeletionProtectionEnabled", value=False),
    "a table that goes with the stack": at("Table", "DeletionPolicy", value="Delete"),
    "a queue in the clear": at("Undelivered", P, "SqsManagedSseEnabled", value=False),
    "a queue that forgets in a minute": at("Undelivered", P, "MessageRetentionPeriod", value=60),
    "a log for ever": at("WebLog", P, "RetentionInDays", value=None),
    "a log of ten years": at("DeploymentLog", P, "RetentionInDays", value=3653),
    "a function without a log group": lambda whole: whole["Resources"].pop("VerifyLog"),
    "an alarm that never rings": at("UndeliveredAlarm", P, "Threshold", value=100_000),
    "an alarm that tells nobody": at("SettleErrorsAlarm", P, "AlarmActions", value=None),
    "an alarm that looks at nothing": at("UndeliveredAlarm", P, "MetricName", value="Any"),
    "an alarm that is gone": lambda whole: whole["Resources"].pop("SettleErrorsAlarm"),
    "tokens in the log": at(
        "DeploymentStateMachine", P, "Logging", "IncludeExecutionData", value=True
    ),
    "an event that may be lost": at(
        "AdmitFunction", P, "Events", "Pushed", P, "DeadLetterConfig", value=None
    ),
    "a sweep that may be lost": at(
        "SweepFunction", P, "Events", "Schedule", P, "DeadLetterConfig", value=None
    ),
    "news that may be lost": at(
        "NotifyFunction", P, "Events", "Record", P, "DestinationConfig", value=None
    ),
    "failures that nobody keeps": lambda whole: whole["Globals"]["Function"].pop(
        "EventInvokeConfig"
    ),
    "pages that run for a minute": at("WebFunction", P, "Timeout", value=60),
    "short keys for links": at("LinkSecret", P, "GenerateSecretString", "PasswordLength", value=8),
}


def test_the_stack_as_it_is_breaks_nothing() -> None:
    assert stack_violations(template()) == []
    assert source_violations() == []


@pytest.mark.parametrize("case", STACKS)
def test_a_changed_stack_is_found(case: str) -> None:
    changed = copy.deepcopy(template())
    STACKS[case](changed)

    assert stack_violations(changed) != []


RDS = "slipway.adapters.rds.instances"
ROLLOUTS = "slipway.adapters.ecs.rollouts"
ROUTES = "slipway.web.routes"
LIST = "PERMISSIONS: Final = ("


def at_the_end(name: str, line: str) -> tuple[str, dict[str, str], str]:
    """A module with one function more."""
    return name, {}, f"\n\ndef extra(client, self, name):\n    {line}\n"


SOURCES: dict[str, tuple[str, dict[str, str], str]] = {
    "a snapshot that is deleted": at_the_end(RDS, "self._client.delete_db_snapshot()"),
    "a service that is deleted": at_the_end(ROLLOUTS, "self._client.delete_service()"),
    "a user that is made in a route": at_the_end(
        ROUTES, 'wiring.client("iam").create_user(UserName="eve")'
    ),
    "a call that is listed and not granted": (
        RDS,
        {
            LIST: f'{LIST}"rds:ModifyDBInstance",',
            "self._client.create_db_snapshot(": "(self._client.modify_db_instance"
            " or self._client.create_db_snapshot)(",
        },
        "",
    ),
    "a permission that nothing needs": (ROLLOUTS, {LIST: f'{LIST}"ecs:DeleteService",'}, ""),
    "a function handed on without a call": at_the_end(RDS, "return self._client.delete_db_cluster"),
    "a waiter that no list names": at_the_end(RDS, 'client.get_waiter("db_cluster_available")'),
    "a paginator that no list names": at_the_end(RDS, 'client.get_paginator("describe_events")'),
    "a paginator by a variable": at_the_end(RDS, "client.get_paginator(name)"),
    "a call by its name": at_the_end(RDS, "getattr(client, name)()"),
    "a call below the client": at_the_end(RDS, "client._make_api_call(name, {})"),
    "a client that a step makes": at_the_end("slipway.steps.settle", "import boto3"),
    "a session that a step makes": at_the_end(
        "slipway.steps.plan", "from botocore.session import get_session"
    ),
    "a module by its name": at_the_end("slipway.steps.enter", "import importlib"),
    "a client that an adapter makes": at_the_end(RDS, "from boto3 import client"),
    "a client that a function makes": at_the_end(
        "functions.deploy.app", 'wiring.client("iam").create_role()'
    ),
    "a maker that is borrowed": at_the_end(ROUTES, "from slipway.runtime.wiring import client"),
    "a client that is taken out of its adapter": at_the_end(ROUTES, "wiring.records()._client"),
    "a client of any service": at_the_end("slipway.runtime.wiring", "return client(name)"),
}


@pytest.mark.parametrize("case", SOURCES)
def test_changed_source_is_found(case: str) -> None:
    name, changes, more = SOURCES[case]

    with edited(name, changes, more):
        assert source_violations() != []
