"""The state machine tells the story of the architecture, and every end of it is told truly."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonata.jsonata import Jsonata

from slipway.domain.errors import Broken, Rejected, Transient, Unhealthy
from slipway.domain.failure import LOOK_DIED, Failure, outcome_of
from slipway.domain.outcome import Outcome
from slipway.domain.progress import LONGEST_FUNCTION
from slipway.steps.approve import ApproveRequest
from slipway.steps.backup import BackupRequest
from slipway.steps.check import CheckRequest
from slipway.steps.deploy import DeployRequest
from slipway.steps.enter import EnterRequest
from slipway.steps.migrate import MigrateRequest
from slipway.steps.plan import PlanRequest, PlanResult
from slipway.steps.rollback import RollbackRequest
from slipway.steps.settle import SettleRequest, SettleResult
from slipway.steps.step import StepRequest
from slipway.steps.verify import VerifyRequest
from tests.unit.stack import actions, machine, resources

STATES: dict[str, Any] = machine()["States"]
TASKS = {name: state for name, state in STATES.items() if state["Type"] == "Task"}
BEFORE_ANYTHING_CHANGES = ["Plan", "Check", "Approve", "Enter", "CheckAgain", "Backup"]
THE_WAY_THERE = ["Migrate", "Deploy", "Verify"]
THE_WAY_BACK = ["Rollback", "VerifyRollback"]
WAITING = [name for name in TASKS if name not in ("Plan", "Settle")]

# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html, and the names
# that the Lambda integration reports for accidents that the same call may not have again.
STEP_FUNCTIONS_ERRORS = {"States.ALL", "States.Timeout"}
LAMBDA_ERRORS = {
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.TooManyRequestsException",
    *LOOK_DIED,
}
OURS = {kind.__name__ for kind in (Rejected, Unhealthy, Transient, Broken)}
RETRY = [
    {
        "ErrorEquals": ["States.Timeout"],
        "IntervalSeconds": 1,
        "MaxAttempts": 2000,
        "BackoffRate": 1,
    },
    {
        "ErrorEquals": [
            "Transient",
            "Lambda.ServiceException",
            "Lambda.AWSLambdaException",
            "Lambda.SdkClientException",
            "Lambda.ClientExecutionTimeoutException",
            "Lambda.TooManyRequestsException",
        ],
        "IntervalSeconds": 1,
        "MaxAttempts": 40,
        "BackoffRate": 2,
        "MaxDelaySeconds": 60,
        "JitterStrategy": "FULL",
    },
    # What kills or outlasts a function is likely to do so again: three looks, and it is a failure.
    {
        "ErrorEquals": sorted(LOOK_DIED),
        "IntervalSeconds": 1,
        "MaxAttempts": 2,
        "BackoffRate": 2,
        "MaxDelaySeconds": 60,
        "JitterStrategy": "FULL",
    },
]
REQUESTS: dict[str, type[StepRequest]] = {
    "Plan": PlanRequest,
    "Check": CheckRequest,
    "Approve": ApproveRequest,
    "Enter": EnterRequest,
    "CheckAgain": CheckRequest,
    "Backup": BackupRequest,
    "Migrate": MigrateRequest,
    "Deploy": DeployRequest,
    "Verify": VerifyRequest,
    "Rollback": RollbackRequest,
    "VerifyRollback": VerifyRequest,
    "Settle": SettleRequest,
}
PLAN = PlanResult(
    needs_approval=True,
    needs_migration=True,
    plan_hash="5" * 64,
    service_arn="arn:aws:ecs:us-east-1:000000000000:service/staging/notes",
    scanned_image=f"notes@sha256:{'b2' * 32}",
    approval_seconds=600,
    backup_seconds=3600,
    migrate_seconds=900,
    deploy_seconds=1800,
    verify_interval_seconds=10,
)


def texts(value: Any) -> Iterator[str]:
    """Every text in the definition, keys aside."""
    if isinstance(value, dict):
        for one in value.values():
            yield from texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from texts(one)
    elif isinstance(value, str):
        yield value


EXPRESSIONS = sorted({text for text in texts(machine()) if text.startswith("{%")})


class Machine:
    """Walks the definition as Step Functions does, as far as it is used here."""

    def __init__(self, plan: PlanResult, failing: dict[str, tuple[str, str]]) -> None:
        self.plan = plan
        self.failing = failing
        self.variables: dict[str, Any] = {}
        self.path: list[str] = []
        self.arguments: dict[str, Any] = {}
        self.timeouts: dict[str, Any] = {}
        self.input = {"deployment_id": "notes-staging-1", "lane": "notes/staging"}

    def run(self) -> "Machine":
        name: str | None = machine()["StartAt"]
        while name is not None:
            self.path.append(name)
            state = STATES[name]
            name = getattr(self, f"_{state['Type'].lower()}")(name, state)
        return self

    def _task(self, name: str, state: dict[str, Any]) -> str:
        states = {"input": self.input, "context": self._context()}
        self.arguments[name] = self._evaluated(state["Arguments"], states)
        self.timeouts[name] = self._evaluated(state["TimeoutSeconds"], states)
        if name in self.failing:
            error, cause = self.failing[name]
            (catch,) = state["Catch"]
            states["errorOutput"] = {"Error": error, "Cause": cause}
            self._assign(catch, states)
            return str(catch["Next"])
        self._assign(state, states | {"result": self._result(name)})
        return str(state["Next"])

    def _choice(self, name: str, state: dict[str, Any]) -> str:
        for choice in state["Choices"]:
            if self._evaluated(choice["Condition"], {}) is True:
                return str(choice["Next"])
        return str(state["Default"])

    def _succeed(self, name: str, state: dict[str, Any]) -> None:
        return None

    def _fail(self, name: str, state: dict[str, Any]) -> None:
        self.arguments[name] = self._evaluated(state["Cause"], {})

    def _context(self) -> dict[str, Any]:
        return {"Task": {"Token": "token"}, "Execution": {"Input": self.input}}

    def _result(self, name: str) -> dict[str, Any]:
        if name == "Plan":
            return self.plan.model_dump(mode="json")
        return self._settled() if name == "Settle" else {"done": True}

    def _settled(self) -> dict[str, Any]:
        request = SettleRequest.model_validate(self.arguments["Settle"])
        failure = request.failure.failure() if request.failure else None
        cause = request.cause.failure() if request.cause else None
        outcome = outcome_of(failure, cause, changed=cause is not None)
        told = failure or cause or Failure(state="", error="", reason="", message="")
        result = SettleResult(outcome=outcome, reason=told.reason, message=told.message)
        return result.model_dump(mode="json")

    def _assign(self, state: dict[str, Any], states: dict[str, Any]) -> None:
        self.variables |= self._evaluated(state.get("Assign", {}), states)

    def _evaluated(self, value: Any, states: dict[str, Any]) -> Any:
        if isinstance(value, dict):
            return {key: self._evaluated(one, states) for key, one in value.items()}
        if not (isinstance(value, str) and value.startswith("{%")):
            return value
        expression = Jsonata(inner(value))
        for name, known in {**self.variables, "states": states}.items():
            expression.assign(name, known)
        return expression.evaluate(None)


def inner(text: str) -> str:
    """The expression between its brackets, the substitution made as the template makes it."""
    substituted = text.replace("${FallbackSeconds}", "900")
    return substituted.removeprefix("{%").removesuffix("%}").strip()


def walk(plan: PlanResult = PLAN, *, failing: dict[str, tuple[str, str]] | None = None) -> Machine:
    return Machine(plan, failing or {}).run()


def test_every_task_has_a_time_limit() -> None:
    assert [name for name, state in TASKS.items() if not state.get("TimeoutSeconds")] == []
    assert machine()["TimeoutSeconds"] == 30 * 24 * 3600


@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_retried_in_the_same_way(name: str) -> None:
    assert TASKS[name]["Retry"] == RETRY


def test_every_error_that_is_named_exists() -> None:
    named = {
        error
        for state in TASKS.values()
        for clause in [*state["Retry"], *state.get("Catch", [])]
        for error in clause["ErrorEquals"]
    }

    assert named <= OURS | STEP_FUNCTIONS_ERRORS | LAMBDA_ERRORS


def test_only_settle_catches_nothing() -> None:
    assert [name for name, state in TASKS.items() if "Catch" not in state] == ["Settle"]
    for state in TASKS.values():
        for clause in state.get("Catch", []):
            assert clause["ErrorEquals"] == ["States.ALL"]


def caught(name: str, variable: str) -> dict[str, Any]:
    return {
        variable: {
            "state": name,
            "error": "{% $states.errorOutput.Error %}",
            "cause": "{% $states.errorOutput.Cause & '' %}",
        }
    }


@pytest.mark.parametrize("name", [*BEFORE_ANYTHING_CHANGES[1:], *THE_WAY_BACK])
def test_what_fails_before_anything_changed_or_on_the_way_back_is_settled(name: str) -> None:
    (catch,) = TASKS[name]["Catch"]

    assert catch["Next"] == "Settle"
    assert catch["Assign"] == caught(name, "failure")


@pytest.mark.parametrize("name", THE_WAY_THERE)
def test_what_fails_once_something_may_have_changed_is_rolled_back(name: str) -> None:
    (catch,) = TASKS[name]["Catch"]

    assert catch["Next"] == "Rollback"
    assert catch["Assign"] == caught(name, "cause")


def test_every_task_is_before_on_or_behind_the_line() -> None:
    assert set(TASKS) == {
        *BEFORE_ANYTHING_CHANGES,
        *THE_WAY_THERE,
        *THE_WAY_BACK,
        "Settle",
    }


def test_there_is_one_success_and_every_other_end_is_an_outcome() -> None:
    succeeding = [name for name, state in STATES.items() if state["Type"] == "Succeed"]
    failing = {name: state["Error"] for name, state in STATES.items() if state["Type"] == "Fail"}

    assert succeeding == ["Succeeded"]
    assert failing == {one.value: one.value for one in Outcome if one is not Outcome.SUCCEEDED}
    assert [name for name, state in STATES.items() if "End" in state] == []


def test_every_outcome_leads_to_its_own_end() -> None:
    ends = {choice["Condition"]: choice["Next"] for choice in STATES["HowDidItEnd"]["Choices"]}

    assert ends == {f"{{% $ending.outcome = '{one}' %}}": one.value for one in Outcome}
    assert STATES["HowDidItEnd"]["Default"] == "Failed"


def test_every_substitution_is_given_and_every_given_one_is_used() -> None:
    used = set(re.findall(r"\$\{(\w+)\}", " ".join(texts(machine()))))
    properties = resources("AWS::Serverless::StateMachine")["DeploymentStateMachine"]

    assert used == set(properties["DefinitionSubstitutions"])


def actions_of(policy: dict[str, Any]) -> list[str]:
    return [action for statement in policy["Statement"] for action in actions(statement)]


def test_the_machine_may_invoke_exactly_the_functions_that_it_names() -> None:
    properties = resources("AWS::Serverless::StateMachine")["DeploymentStateMachine"]
    named = {
        value["Fn::GetAtt"][0]
        for value in properties["DefinitionSubstitutions"].values()
        if "Fn::GetAtt" in value
    }
    invoked = [one for one in properties["Policies"] if "LambdaInvokePolicy" in one]
    allowed = {policy["LambdaInvokePolicy"]["FunctionName"]["Ref"] for policy in invoked}
    beside = [one for one in properties["Policies"] if "LambdaInvokePolicy" not in one]

    assert named == allowed
    assert properties["Type"] == "STANDARD"
    # Beside that it may deliver its own log.
    for action in (one for part in beside for one in actions_of(part)):
        assert action.startswith("logs:"), action
        assert not action.endswith("*")


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_every_expression_is_jsonata(text: str) -> None:
    assert text.endswith("%}")
    assert Jsonata(inner(text)) is not None


def test_only_variables_that_were_assigned_are_read() -> None:
    assigned = {
        name
        for state in STATES.values()
        for one in [state, *state.get("Catch", [])]
        for name in one.get("Assign", {})
    }
    read = {
        name
        for text in EXPRESSIONS
        for name in re.findall(r"\$([a-z_]+)", inner(text))
        if f"${name}(" not in text
    }

    assert read - {"states"} <= assigned


def following(state: dict[str, Any]) -> list[str]:
    ways = [state, *state.get("Catch", []), *state.get("Choices", [])]
    found = [one["Next"] for one in ways if "Next" in one]
    return [*found, state["Default"]] if "Default" in state else found


def test_every_state_is_reached_and_every_way_has_an_end() -> None:
    reached, todo = set[str](), [machine()["StartAt"]]
    while todo:
        name = todo.pop()
        if name not in reached:
            reached.add(name)
            todo.extend(following(STATES[name]))

    assert reached == set(STATES)
    assert [
        name
        for name, state in STATES.items()
        if not following(state) and state["Type"] not in ("Succeed", "Fail")
    ] == []


def test_nothing_is_walked_twice() -> None:
    """Without a loop the number of transitions has a bound: waiting costs none."""
    position = {name: number for number, name in enumerate(STATES)}

    for name, state in STATES.items():
        for after in following(state):
            assert position[after] > position[name], f"{name} -> {after}"


def test_the_story_of_a_success() -> None:
    told = walk()

    assert told.path == [
        "Plan",
        "Check",
        "NeedsApproval",
        "Approve",
        "Enter",
        "CheckAgain",
        "NeedsMigration",
        "Backup",
        "Migrate",
        "Deploy",
        "Verify",
        "Settle",
        "HowDidItEnd",
        "Succeeded",
    ]
    assert len(told.path) <= 18


def test_a_success_without_approval_and_migration_is_shorter() -> None:
    plan = PLAN.model_copy(update={"needs_approval": False, "needs_migration": False})

    assert walk(plan).path == [
        "Plan",
        "Check",
        "NeedsApproval",
        "Enter",
        "CheckAgain",
        "NeedsMigration",
        "Deploy",
        "Verify",
        "Settle",
        "HowDidItEnd",
        "Succeeded",
    ]


def test_the_story_of_a_rollback() -> None:
    told = walk(failing={"Verify": ("Unhealthy", "ReleaseUnhealthy: /health answered 500.")})

    assert told.path[-6:] == [
        "Verify",
        "Rollback",
        "VerifyRollback",
        "Settle",
        "HowDidItEnd",
        "RolledBack",
    ]
    assert len(told.path) <= 26
    assert told.arguments["RolledBack"] == "ReleaseUnhealthy: /health answered 500."
    assert told.arguments["Settle"] == {
        "deployment_id": "notes-staging-1",
        "lane": "notes/staging",
        "cause": {
            "state": "Verify",
            "error": "Unhealthy",
            "cause": "ReleaseUnhealthy: /health answered 500.",
        },
        "failure": None,
    }


@pytest.mark.parametrize("name", BEFORE_ANYTHING_CHANGES)
@pytest.mark.parametrize(
    ("error", "cause", "end"),
    [
        ("Rejected", "Superseded: newer", "Superseded"),
        ("Rejected", "ApprovalRejected: no", "Rejected"),
        ("Rejected", "ApprovalExpired: late", "Expired"),
        ("Rejected", "Cancelled: by ada", "Cancelled"),
        ("Rejected", "Unchanged: live", "Unchanged"),
        ("Rejected", '{"errorMessage": "Held: incident", "errorType": "Rejected"}', "Blocked"),
        ("Broken", "BackupFailed: quota", "Failed"),
        ("States.Timeout", "", "Failed"),
    ],
)
def test_a_failure_before_anything_changed_ends_at_once(
    name: str, error: str, cause: str, end: str
) -> None:
    told = walk(failing={name: (error, cause)})

    assert told.path[-4:] == [name, "Settle", "HowDidItEnd", end]


@pytest.mark.parametrize("name", THE_WAY_THERE)
@pytest.mark.parametrize("error", [*sorted(OURS), "States.Timeout", "KeyError"])
def test_a_failure_after_that_is_rolled_back(name: str, error: str) -> None:
    told = walk(failing={name: (error, "anything")})

    assert told.path[-6:] == [
        name,
        "Rollback",
        "VerifyRollback",
        "Settle",
        "HowDidItEnd",
        "RolledBack",
    ]


@pytest.mark.parametrize("name", THE_WAY_BACK)
@pytest.mark.parametrize(
    ("error", "end"), [("Broken", "NeedsOperator"), ("Unhealthy", "RollbackFailed")]
)
def test_a_way_back_that_fails_is_never_rolled_back(name: str, error: str, end: str) -> None:
    told = walk(failing={"Deploy": ("Unhealthy", "CircuitBreakerTripped: x"), name: (error, "y")})

    assert told.path[-4:] == [name, "Settle", "HowDidItEnd", end]


@pytest.mark.parametrize("name", TASKS)
def test_a_function_gets_the_request_that_it_understands(name: str) -> None:
    told = walk(failing={"Verify": ("Unhealthy", "ReleaseUnhealthy: x")})
    arguments = told.arguments[name]

    if name in WAITING:
        assert TASKS[name]["Resource"] == "arn:aws:states:::lambda:invoke.waitForTaskToken"
        assert set(arguments) == {"FunctionName", "Payload"}
        assert arguments["Payload"]["task_token"] == "token"
        arguments = arguments["Payload"]["request"]
    request = REQUESTS[name].model_validate(arguments)

    assert (request.deployment_id, request.lane) == ("notes-staging-1", "notes/staging")
    assert set(request.model_dump()) == set(arguments)


def test_the_two_verifications_are_told_apart() -> None:
    told = walk(failing={"Verify": ("Unhealthy", "ReleaseUnhealthy: x")}).arguments

    assert told["Verify"]["Payload"]["request"]["of"] == "release"
    assert told["VerifyRollback"]["Payload"]["request"]["of"] == "rollback"


@pytest.mark.parametrize(("approval", "expected"), [(600, 601), (86_400, 3600)])
def test_a_wait_is_looked_at_again_when_no_event_came(approval: int, expected: int) -> None:
    plan = PLAN.model_copy(update={"approval_seconds": approval})
    timeouts = walk(plan, failing={"Verify": ("Unhealthy", "x")}).timeouts

    assert timeouts == {
        "Plan": 90,
        "Check": 900,
        "Approve": expected,
        "Enter": 900,
        "CheckAgain": 900,
        "Backup": 900,
        "Migrate": 900,
        "Deploy": 900,
        "Verify": 10,
        "Rollback": 900,
        "VerifyRollback": 10,
        "Settle": 90,
    }


@pytest.mark.parametrize("name", ["Plan", "Settle"])
def test_a_look_that_is_answered_at_once_is_outlived_by_its_state(name: str) -> None:
    """Else the state's own timeout would come first, and three deaths would never be seen."""
    assert TASKS[name]["TimeoutSeconds"] > LONGEST_FUNCTION.total_seconds()


@pytest.mark.parametrize("error", sorted(LOOK_DIED))
@pytest.mark.parametrize("name", [one for one in TASKS if one != "Settle"])
def test_a_look_that_dies_is_taken_three_times_in_all_and_then_leads_on(
    name: str, error: str
) -> None:
    (retrier,) = [one for one in TASKS[name]["Retry"] if error in one["ErrorEquals"]]
    needed = {"Deploy": ("Unhealthy", "x")} if name in THE_WAY_BACK else {}
    told = walk(failing={**needed, name: (error, '{"errorMessage": "out"}')})

    assert retrier["MaxAttempts"] == 2
    assert told.path[-1] == (
        "Failed"
        if name in BEFORE_ANYTHING_CHANGES
        else "RollbackFailed"
        if name in THE_WAY_BACK
        else "RolledBack"
    )
    failed = told.arguments["Settle"]["failure"] or told.arguments["Settle"]["cause"]
    assert Failure.parsed(failed["state"], failed["error"], failed["cause"]) == Failure(
        state=name,
        error=error,
        reason="LookEndless",
        message=f"Three looks of {name} did not finish: out",
    )


@pytest.mark.parametrize("seconds", [86_400, 20_160 * 60])
def test_the_longest_approval_fits_into_the_retries(seconds: int) -> None:
    retries = RETRY[0]["MaxAttempts"]
    assert isinstance(retries, int)

    assert min(3600, seconds + 1) * retries >= seconds


@pytest.mark.parametrize("name", TASKS)
def test_every_task_says_why_it_is_there(name: str) -> None:
    assert TASKS[name]["Comment"].endswith(".")
