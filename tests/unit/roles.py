"""The roles of the stack as CloudFormation would make them, as plain grants."""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
from samtranslator.parser.parser import Parser  # type: ignore[import-untyped]
from samtranslator.translator.translator import Translator  # type: ignore[import-untyped]

Template = dict[str, Any]


@dataclass(frozen=True, order=True)
class Grant:
    """One action on one resource, and the condition under which it is allowed ('' for none)."""

    action: str
    resource: str
    condition: str = ""


@dataclass
class Role:
    """What a role is allowed and by whom it is assumed; ``odd`` holds what no grant should be."""

    grants: set[Grant] = field(default_factory=set)
    managed: list[str] = field(default_factory=list)
    assumed_by: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)


def transformed(template: Template) -> Template:
    """The resources that CloudFormation gets; raises SAM's error for a template that it refuses."""
    whole = copy.deepcopy(template)
    for one in whole["Resources"].values():
        for uri in {"CodeUri", "ContentUri", "DefinitionUri"} & set(one.get("Properties", {})):
            one["Properties"][uri] = "s3://anywhere/anything"
    session = boto3.Session(region_name="us-east-1")
    translator = Translator({}, Parser(), boto_session=session)
    made = translator.translate(whole, {"SlackSecretArn": "any"})
    return dict(made["Resources"])


def roles(resources: Template) -> Iterator[tuple[str, Role]]:
    """Every role by its name."""
    for name, one in resources.items():
        if one["Type"] == "AWS::IAM::Role":
            yield name, _role(one["Properties"])


def _role(properties: Template) -> Role:
    role = Role(managed=list(properties.get("ManagedPolicyArns", [])))
    for policy in properties.get("Policies", []):
        for statement in policy["PolicyDocument"]["Statement"]:
            _read(statement, role)
    for statement in properties["AssumeRolePolicyDocument"]["Statement"]:
        role.assumed_by += _list(statement["Principal"].get("Service", "everybody"))
    return role


def _read(statement: Template, role: Role) -> None:
    allowed = {"Effect", "Action", "Resource", "Condition"}
    if not {"Action", "Resource"} <= set(statement) <= allowed or statement["Effect"] != "Allow":
        role.odd.append(f"a statement that is no plain grant: {written(statement)}")
        return
    condition = written(statement["Condition"]) if "Condition" in statement else ""
    for action in _list(statement["Action"]):
        for resource in _list(statement["Resource"]):
            role.grants.add(Grant(action, written(resource), condition))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def written(value: Any) -> str:
    """A value of the template as one line; lists in any order are the same."""
    plain = _plain(value)
    return plain if isinstance(plain, str) else json.dumps(plain, sort_keys=True)


def _plain(value: Any) -> Any:
    match value:
        case {"Fn::GetAtt": [name, attribute]}:
            return f"{name}.{attribute}"
        case {"Fn::Sub": [str(text), {**names}]}:
            for name, one in names.items():
                text = text.replace(f"${{{name}}}", written(one))
            return text
        case {"Fn::Sub": str(text)}:
            return text
        case {"Ref": name}:
            return f"${{{name}}}"
        case {"Fn::If": [condition, then, otherwise]}:
            return f"{condition} ? {written(then)} : {written(otherwise)}"
        case dict():
            return {name: _plain(one) for name, one in value.items()}
        case list():
            return sorted((_plain(one) for one in value), key=str)
    return value
