"""Who may do what: every role of the stack, one line per grant, held against the template.

The roles are read after SAM has transformed the template, so what SAM adds to them counts too.
A new call needs a line here, a grant in template.yaml, and its action in the adapter's PERMISSIONS.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.unit.roles import Grant, Role, Template, roles, transformed, written


def here(service: str, resource: str) -> str:
    """A resource of this account and region."""
    return f"arn:${{AWS::Partition}}:{service}:${{AWS::Region}}:${{AWS::AccountId}}:{resource}"


# ------------------------------------------------------------------------------------- resources
ANYTHING: Final = "*"
TABLE: Final = "Table.Arn"
OPEN: Final = "${Table.Arn}/index/open"
BUS: Final = "Bus.Arn"
UNDELIVERED: Final = "Undelivered.Arn"
LINK_SECRET: Final = "${LinkSecret}"
SLACK_SECRET: Final = "${SlackSecretArn}"
MACHINE: Final = here("states", "stateMachine:${AWS::StackName}-deployment")
EXECUTIONS: Final = here("states", "execution:${AWS::StackName}-deployment:*")
REPOSITORIES: Final = here("ecr", "repository/*")
INSTANCES: Final = here("rds", "db:*")
SNAPSHOTS: Final = here("rds", "snapshot:slipway-*")
DATABASE_CLUSTERS: Final = here("rds", "cluster:*")
CLUSTER_SNAPSHOTS: Final = here("rds", "cluster-snapshot:slipway-*")
TASK_DEFINITIONS: Final = here("ecs", "task-definition/*:*")
TASKS: Final = here("ecs", "task/*")
SERVICES: Final = here("ecs", "service/*")
LOG_STREAMS: Final = here("logs", "log-group:${LogGroupPattern}:log-stream:*")
_ALL_ROLES: Final = "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/*"
ROLES: Final = f"HasTaskRoleArns ? ${{TaskRoleArns}} : {_ALL_ROLES}"


# ------------------------------------------------------------------------------------ conditions
def when(**operators: Mapping[str, Any]) -> str:
    """A condition as `Grant` holds it; `__` stands for the colon of a set operator."""
    return written({name.replace("__", ":"): keys for name, keys in operators.items()})


def saying(*kinds: str) -> str:
    """Only these events, in Slipway's own name."""
    return when(StringEquals={"events:source": "slipway", "events:detail-type": list(kinds)})


ONLY_DEPLOYMENTS: Final = when(ForAllValues__StringLike={"dynamodb:LeadingKeys": ["DEPLOYMENT#*"]})
ONLY_CLUSTERS: Final = when(
    ArnLike={"ecs:cluster": f"HasClusterArns ? ${{ClusterArns}} : {here('ecs', 'cluster/*')}"}
)
ONLY_TO_TASKS: Final = when(StringEquals={"iam:PassedToService": "ecs-tasks.amazonaws.com"})
ONLY_TO_ECS: Final = when(StringEquals={"iam:PassedToService": "ecs.amazonaws.com"})
ONLY_WHILE_RUNNING: Final = when(StringEquals={"ecs:CreateAction": "RunTask"})
ONLY_WHILE_REGISTERING: Final = when(StringEquals={"ecs:CreateAction": "RegisterTaskDefinition"})


SWEPT: Final = saying("Candidate Admitted", "Deployment Settled", "Look Again", "Tell Again")


# ---------------------------------------------------------------------------------- the table
READING: Final = [Grant("dynamodb:GetItem", TABLE), Grant("dynamodb:BatchGetItem", TABLE)]
RECORD: Final = [*READING, Grant("dynamodb:PutItem", TABLE)]
FENCED: Final = [*RECORD, Grant("dynamodb:ConditionCheckItem", TABLE)]
WAITING: Final = [
    Grant("dynamodb:Query", TABLE),
    Grant("dynamodb:BatchWriteItem", TABLE),
    Grant("dynamodb:DeleteItem", TABLE),
    Grant("states:SendTaskSuccess", MACHINE),
    Grant("states:SendTaskFailure", MACHINE),
]
REGISTERING: Final = [
    Grant("ecs:DescribeServices", ANYTHING),
    Grant("ecs:DescribeTaskDefinition", ANYTHING),
    Grant("ecs:RegisterTaskDefinition", ANYTHING),
    Grant("ecs:ListTaskDefinitions", ANYTHING),
    Grant("ecs:TagResource", ANYTHING, ONLY_WHILE_REGISTERING),
    Grant("iam:PassRole", ROLES, ONLY_TO_TASKS),
]
ROLLOUTS: Final = [
    Grant("ecs:DescribeServices", ANYTHING),
    Grant("ecs:ListServiceDeployments", ANYTHING),
    Grant("ecs:DescribeServiceRevisions", ANYTHING),
]
UPDATING: Final = [Grant("ecs:UpdateService", SERVICES, ONLY_CLUSTERS)]
RUNNING: Final = [
    Grant("ecs:RunTask", TASK_DEFINITIONS, ONLY_CLUSTERS),
    Grant("iam:PassRole", ROLES, ONLY_TO_ECS),
    Grant("ecs:StopTask", TASKS, ONLY_CLUSTERS),
    Grant("ecs:TagResource", TASKS, ONLY_WHILE_RUNNING),
    Grant("ecs:DescribeTasks", ANYTHING),
    Grant("logs:GetLogEvents", LOG_STREAMS),
]

GRANTS: Final[dict[str, list[Grant]]] = {
    "admit": [
        *RECORD,
        Grant("ecr:DescribeImages", REPOSITORIES),
        Grant("ecr:BatchGetImage", REPOSITORIES),
        Grant("states:StartExecution", MACHINE),
        Grant("events:PutEvents", BUS, saying("Candidate Admitted")),
    ],
    "plan": [
        *RECORD,
        Grant("ecr:DescribeImages", REPOSITORIES),
        Grant("ecr:BatchGetImage", REPOSITORIES),
        Grant("ecr:GetDownloadUrlForLayer", REPOSITORIES),
        Grant("ecs:DescribeServices", ANYTHING),
        Grant("ecs:DescribeTaskDefinition", ANYTHING),
        Grant("elasticloadbalancing:DescribeTargetGroups", ANYTHING),
        Grant("elasticloadbalancing:DescribeLoadBalancers", ANYTHING),
        Grant("elasticloadbalancing:DescribeListeners", ANYTHING),
        Grant("elasticloadbalancing:DescribeRules", ANYTHING),
        Grant("rds:DescribeDBClusters", DATABASE_CLUSTERS),
        Grant("rds:DescribeDBInstances", INSTANCES),
    ],
    "check": [
        *RECORD,
        *WAITING,
        Grant("ecr:DescribeImages", REPOSITORIES),
        Grant("ecr:DescribeImageScanFindings", REPOSITORIES),
        Grant("inspector2:ListCoverage", ANYTHING),
        Grant("inspector2:ListFindings", ANYTHING),
        Grant("cloudwatch:DescribeAlarms", ANYTHING),
    ],
    "approve": [*RECORD, *WAITING],
    "enter": [
        *RECORD,
        *WAITING,
        Grant("states:DescribeExecution", EXECUTIONS),
        Grant("events:PutEvents", BUS, saying("Holder Lost")),
    ],
    "backup": [
        *FENCED,
        *WAITING,
        Grant("rds:CreateDBClusterSnapshot", DATABASE_CLUSTERS),
        Grant("rds:DescribeDBClusters", DATABASE_CLUSTERS),
        Grant("rds:CreateDBClusterSnapshot", CLUSTER_SNAPSHOTS),
        Grant("rds:DescribeDBClusterSnapshots", CLUSTER_SNAPSHOTS),
        Grant("rds:AddTagsToResource", CLUSTER_SNAPSHOTS),
        Grant("rds:CreateDBSnapshot", INSTANCES),
        Grant("rds:DescribeDBInstances", INSTANCES),
        Grant("rds:CreateDBSnapshot", SNAPSHOTS),
        Grant("rds:DescribeDBSnapshots", SNAPSHOTS),
        Grant("rds:AddTagsToResource", SNAPSHOTS),
    ],
    "migrate": [*FENCED, *WAITING, *REGISTERING, *RUNNING],
    "deploy": [*FENCED, *WAITING, *REGISTERING, *ROLLOUTS, *UPDATING],
    "verify": [
        *FENCED,
        *WAITING,
        *ROLLOUTS,
        Grant("elasticloadbalancing:DescribeTargetHealth", ANYTHING),
        Grant("cloudwatch:DescribeAlarms", ANYTHING),
    ],
    "rollback": [
        *FENCED,
        *WAITING,
        *ROLLOUTS,
        *UPDATING,
        *RUNNING,
        *REGISTERING,
        Grant("ecs:ListTasks", ANYTHING),
    ],
    "settle": [
        *RECORD,
        Grant("states:DescribeExecution", EXECUTIONS),
        Grant("events:PutEvents", BUS, saying("Deployment Settled")),
    ],
    "sweep": [
        *RECORD,
        Grant("dynamodb:Query", OPEN),
        Grant("ecr:DescribeImages", REPOSITORIES),
        Grant("ecr:BatchGetImage", REPOSITORIES),
        Grant("ecs:DescribeTasks", ANYTHING),
        Grant("ecs:ListTasks", ANYTHING),
        Grant("states:StartExecution", MACHINE),
        Grant("states:ListExecutions", MACHINE),
        Grant("states:DescribeExecution", EXECUTIONS),
        Grant("events:PutEvents", BUS, SWEPT),
    ],
    "notify": [
        *READING,
        Grant("dynamodb:PutItem", TABLE, ONLY_DEPLOYMENTS),
        Grant("secretsmanager:GetSecretValue", SLACK_SECRET),
        Grant("secretsmanager:GetSecretValue", LINK_SECRET),
    ],
    "web": [
        *READING,
        Grant("dynamodb:Query", TABLE),
        Grant("dynamodb:PutItem", TABLE, ONLY_DEPLOYMENTS),
        Grant("secretsmanager:GetSecretValue", LINK_SECRET),
        Grant("events:PutEvents", BUS, saying("Approval Decided")),
    ],
}
# What SAM adds to every function: Lambda hands what a function could not do to the queue.
OF_EVERY_FUNCTION: Final = [Grant("sqs:SendMessage", UNDELIVERED)]
_BASIC: Final = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
_STREAM: Final = "arn:aws:iam::aws:policy/service-role/AWSLambdaDynamoDBExecutionRole"
MANAGED: Final = {verb: [_BASIC] for verb in GRANTS} | {"notify": [_BASIC, _STREAM]}

INVOKED: Final = [verb for verb in GRANTS if verb not in ("admit", "sweep", "notify", "web")]
LOG_DELIVERY: Final = [
    "CreateLogDelivery",
    "GetLogDelivery",
    "UpdateLogDelivery",
    "DeleteLogDelivery",
    "ListLogDeliveries",
    "PutResourcePolicy",
    "DescribeResourcePolicies",
    "DescribeLogGroups",
]
MACHINE_GRANTS: Final = [
    *(Grant(f"logs:{one}", ANYTHING) for one in LOG_DELIVERY),
    *(
        Grant("lambda:InvokeFunction", here("lambda", f"function:${{{one.capitalize()}Function}}*"))
        for one in INVOKED
    ),
]
# The one function that anybody may call.
URL_OF: Final = "web"
# Whatever the stack consists of; another kind of resource may carry permissions of its own.
KINDS: Final = {
    "AWS::CloudWatch::Alarm",
    "AWS::DynamoDB::Table",
    "AWS::Events::EventBus",
    "AWS::Events::Rule",
    "AWS::IAM::Role",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::Lambda::LayerVersion",
    "AWS::Lambda::Permission",
    "AWS::Lambda::Url",
    "AWS::Logs::LogGroup",
    "AWS::Logs::MetricFilter",
    "AWS::SQS::Queue",
    "AWS::SQS::QueuePolicy",
    "AWS::SecretsManager::Secret",
    "AWS::StepFunctions::StateMachine",
}


def violations(template: Template) -> list[str]:
    """Everything in the stack's roles and permissions that the table does not say, and the rest."""
    resources = transformed(template)
    found = dict(roles(resources))
    wanted = {f"{verb.capitalize()}FunctionRole": verb for verb in GRANTS}
    machine = "DeploymentStateMachineRole"
    wrong = [f"role {name} is not expected" for name in set(found) - {*wanted, machine}]
    wrong += [f"role {name} is missing" for name in {*wanted, machine} - set(found)]
    for name, verb in wanted.items():
        expected = {*GRANTS[verb], *OF_EVERY_FUNCTION}
        role = found.get(name, Role())
        wrong += _differences(verb, role, expected, MANAGED[verb], "lambda.amazonaws.com")
    role = found.get(machine, Role())
    wrong += _differences("machine", role, set(MACHINE_GRANTS), [], "states.amazonaws.com")
    kinds = {one["Type"] for one in resources.values()} - KINDS
    wrong += [f"a resource of the kind {kind} may carry permissions" for kind in kinds]
    return sorted([*wrong, *_callers(resources)])


def _differences(
    who: str, role: Role, grants: set[Grant], managed: list[str], principal: str
) -> Iterator[str]:
    yield from (f"{who}: {one}" for one in role.odd)
    yield from (f"{who}: grants {one}, which is not in the table" for one in role.grants - grants)
    yield from (f"{who}: does not grant {one}" for one in grants - role.grants)
    if sorted(role.managed) != sorted(managed):
        yield f"{who}: has the managed policies {role.managed} instead of {managed}"
    if role.assumed_by != [principal]:
        yield f"{who}: is assumed by {role.assumed_by} instead of {principal}"


def _callers(resources: Template) -> Iterator[str]:
    """Who may call a function: rules and schedules of this stack, and anybody the pages."""
    for name, one in resources.items():
        if one["Type"] != "AWS::Lambda::Permission":
            continue
        said = one["Properties"]
        public = said["FunctionName"] == {"Ref": f"{URL_OF.capitalize()}Function"}
        if said["Principal"] == "events.amazonaws.com" and "SourceArn" in said:
            continue
        if not (public and said["Principal"] == "*"):
            yield f"{name}: lets {said['Principal']} call {written(said['FunctionName'])}"
