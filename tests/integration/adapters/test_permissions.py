"""Every adapter lists exactly the IAM actions that its code uses."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.session import get_session

import slipway.adapters

ROOT = Path(slipway.adapters.__path__[0])
MODULES = sorted(
    path for path in ROOT.rglob("*.py") if "PERMISSIONS" in path.read_text(encoding="utf-8")
)
PREFIXES = {"elbv2": "elasticloadbalancing", "stepfunctions": "states"}

# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html:
# a transaction has no action of its own.
TRANSACTION = {
    "Put": "dynamodb:PutItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Delete": "dynamodb:DeleteItem",
}
# Needed by a call though no call of that name is made: roles handed on, tags at creation.
# Findings of enhanced scanning are read from Inspector in the caller's name.
RIDERS = {
    "iam:PassRole",
    "ecs:TagResource",
    "rds:AddTagsToResource",
    "inspector2:ListCoverage",
    "inspector2:ListFindings",
}


def _name(path: Path) -> str:
    return ".".join(("slipway.adapters", *path.relative_to(ROOT).with_suffix("").parts))


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_an_adapter_lists_exactly_the_actions_that_its_code_uses(path: Path) -> None:
    listed = set(importlib.import_module(_name(path)).PERMISSIONS)

    assert listed - RIDERS == set(_used(ast.parse(path.read_text(encoding="utf-8")))) - RIDERS


def _used(tree: ast.Module) -> Iterator[str]:
    operations = dict(_operations(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("slipway.adapters."):
            yield from getattr(importlib.import_module(node.module or ""), "PERMISSIONS", ())
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            action = operations.get(_called(node, node.func), "")
            carried = _carried(tree)
            yield from carried if action == "dynamodb:TransactWriteItems" else {action} - {""}


def _carried(tree: ast.Module) -> set[str]:
    """IAM judges a transaction by the operations that it carries."""
    keys = {
        key.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant)
    }
    return {action for operation, action in TRANSACTION.items() if operation in keys}


def _called(node: ast.Call, function: ast.Attribute) -> str:
    if function.attr == "get_paginator" and isinstance(node.args[0], ast.Constant):
        return str(node.args[0].value)
    return function.attr


def _operations(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Method name to IAM action, for the services whose clients the module is typed with."""
    session: Any = get_session()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("mypy_boto3_"):
            service = (node.module or "").removeprefix("mypy_boto3_").partition(".")[0]
            for operation in session.get_service_model(service).operation_names:
                yield xform_name(operation), f"{PREFIXES.get(service, service)}:{operation}"
