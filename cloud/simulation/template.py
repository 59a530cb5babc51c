"""What the simulator takes from template.yaml: functions, rules, the schedule, substitutions."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from cloud.simulation.patterns import Accepts, compiled

ROOT = Path(__file__).parents[2]
ACCOUNT = "000000000000"
REGION = "us-east-1"
STACK = "slipway"
WEB_URL = "https://slipway.example.com"
_LAMBDA = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{STACK}-"
_PSEUDO = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": "aws",
    "AWS::StackName": STACK,
}
STATE_MACHINE_ARN = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{STACK}-deployment"


@dataclass(frozen=True)
class Rule:
    """An EventBridge rule and the function that it starts."""

    accepts: Accepts
    function: str


@dataclass(frozen=True)
class Function:
    """What the template says of one function; the timeout is in seconds."""

    name: str
    arn: str
    timeout: float
    environment: dict[str, str] = field(hash=False)


@dataclass(frozen=True)
class Template:
    """The parts of the stack that matter in a simulated run."""

    functions: dict[str, Function]
    rules: dict[tuple[str, str, str], tuple[Rule, ...]]
    schedules: dict[str, float]
    stream_function: str
    stream_accepts: Accepts
    definition: dict[str, Any]


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's tags, kept as {tag: value}."""


def _tagged(loader: yaml.SafeLoader, tag: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        return {tag: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {tag: loader.construct_sequence(node, deep=True)}
    raise ValueError(f"template.yaml: !{tag} is not read by the simulator")


_Loader.add_multi_constructor("!", _tagged)


@cache
def template() -> Template:
    """The project's own template.yaml and state machine."""
    document = yaml.load((ROOT / "template.yaml").read_text(), _Loader)
    resources, globals_ = document["Resources"], document["Globals"]["Function"]
    names = {
        name: found["Properties"]["CodeUri"].removeprefix("functions/")
        for name, found in resources.items()
        if found["Type"] == "AWS::Serverless::Function"
    }
    resolver = _Resolver(document, names)
    functions = {
        short: _function(short, resources[name]["Properties"], globals_, resolver)
        for name, short in names.items()
    }
    events = [
        (short, event)
        for name, short in names.items()
        for event in resources[name]["Properties"].get("Events", {}).values()
    ]
    stream_function, stream_accepts = _stream(events)
    return Template(
        functions=functions,
        rules=_by_kind((one for one in events if one[1]["Type"] == "EventBridgeRule"), resolver),
        schedules={
            short: _rate(event["Properties"], resolver)
            for short, event in events
            if event["Type"] in ("Schedule", "ScheduleV2")
        },
        stream_function=stream_function,
        stream_accepts=stream_accepts,
        definition=_definition(resources["DeploymentStateMachine"]["Properties"], resolver),
    )


class _Resolver:
    """CloudFormation's references, with names of the simulator's own."""

    def __init__(self, document: dict[str, Any], functions: dict[str, str]) -> None:
        self._parameters = document["Parameters"]
        self._functions = functions

    def value(self, found: Any) -> Any:
        if isinstance(found, list):
            return [self.value(one) for one in found]
        if not isinstance(found, dict):
            return found
        if len(found) == 1:
            ((tag, value),) = found.items()
            if tag in ("Ref", "GetAtt", "Sub", "If"):
                return self._intrinsic(tag, value)
        return {name: self.value(one) for name, one in found.items()}

    def _intrinsic(self, tag: str, value: Any) -> Any:
        if tag == "Sub":
            return re.sub(r"\$\{([\w:]+)\}", lambda m: str(self._ref(m[1])), value)
        if tag == "If":
            return self.value(value[2])
        return self._ref(value.removesuffix(".Arn") if tag == "GetAtt" else value)

    def _ref(self, name: str) -> Any:
        if name in _PSEUDO:
            return _PSEUDO[name]
        if name in self._functions:
            return f"{_LAMBDA}{self._functions[name]}"
        if name == "WebFunctionUrl.FunctionUrl":
            return WEB_URL
        default = self._parameters.get(name, {}).get("Default")
        return f"{STACK}-{name}" if default is None else default


def _function(
    short: str, properties: dict[str, Any], globals_: dict[str, Any], resolver: _Resolver
) -> Function:
    own = properties.get("Environment", {}).get("Variables", {})
    variables = globals_["Environment"]["Variables"] | own
    environment = {name: str(resolver.value(value)) for name, value in variables.items()}
    return Function(
        name=short,
        arn=f"{_LAMBDA}{short}",
        timeout=float(properties.get("Timeout", globals_["Timeout"])),
        environment=environment | {"AWS_REGION": REGION},
    )


def _stream(events: list[tuple[str, dict[str, Any]]]) -> tuple[str, Accepts]:
    """The one function that reads the table's stream, and the filter before it."""
    (stream,) = [(short, event) for short, event in events if event["Type"] == "DynamoDB"]
    (filter_,) = stream[1]["Properties"]["FilterCriteria"]["Filters"]
    return stream[0], compiled(json.loads(filter_["Pattern"]))


def _by_kind(
    rules: Iterable[tuple[str, dict[str, Any]]], resolver: _Resolver
) -> dict[tuple[str, str, str], tuple[Rule, ...]]:
    """The rules by bus, source and detail-type, which every pattern must name."""
    found: dict[tuple[str, str, str], tuple[Rule, ...]] = {}
    for short, event in rules:
        properties = event["Properties"]
        bus = "own" if "EventBusName" in properties else "default"
        pattern = resolver.value(properties["Pattern"])
        rule = Rule(compiled(pattern), short)
        for source in pattern["source"]:
            for detail_type in pattern["detail-type"]:
                key = (bus, source, detail_type)
                found[key] = (*found.get(key, ()), rule)
    return found


def _rate(properties: dict[str, Any], resolver: _Resolver) -> float:
    expression = resolver.value(properties["Schedule"])
    found = re.fullmatch(r"rate\((\d+) (minute|hour)s?\)", expression)
    if found is None:
        raise ValueError(f"template.yaml: the schedule {expression} is not read by the simulator")
    return float(found[1]) * {"minute": 60, "hour": 3600}[found[2]]


def _definition(properties: dict[str, Any], resolver: _Resolver) -> dict[str, Any]:
    text = (ROOT / properties["DefinitionUri"]).read_text()
    for name, value in properties["DefinitionSubstitutions"].items():
        text = text.replace(f"${{{name}}}", str(resolver.value(value)))
    if "${" in text:
        raise ValueError(f"{properties['DefinitionUri']} has a substitution without a value")
    definition: dict[str, Any] = json.loads(text)
    return definition
