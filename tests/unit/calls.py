"""Which AWS operations the source calls, which its lists of permissions name, who makes clients."""

import ast
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from botocore import xform_name
from botocore.exceptions import UnknownServiceError
from botocore.session import get_session

from tests.unit.reach import CONNECTION, WIRING, reached
from tests.unit.source import module, modules

# IAM's name of a service where it is not the client's.
PREFIXES: Final = {"elbv2": "elasticloadbalancing", "stepfunctions": "states"}
# Permissions that a call needs beside its own, by AWS's service authorization reference.
IMPLIED: Final = {
    "ecs:RegisterTaskDefinition": ["ecs:TagResource", "iam:PassRole"],
    "ecs:RunTask": ["ecs:TagResource", "iam:PassRole"],
    "rds:CreateDBSnapshot": ["rds:AddTagsToResource"],
    "rds:CreateDBClusterSnapshot": ["rds:AddTagsToResource"],
    # ECR reads the findings of enhanced scanning from Inspector in the caller's name.
    "ecr:DescribeImageScanFindings": ["inspector2:ListCoverage", "inspector2:ListFindings"],
}
# A transaction is authorised as the operations that it carries.
TRANSACTION: Final = "dynamodb:TransactWriteItems"
CARRIED: Final = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
}
# The modules that may make a client, each in one function of this name.
MAKERS: Final = {WIRING: "client", CONNECTION: "_client"}
_ADAPTERS: Final = "slipway.adapters."


# ---------------------------------------------------------------------- what AWS's models say
@cache
def actions() -> dict[str, set[str]]:
    """The IAM actions behind a method, paginator or waiter of any client that Slipway makes."""
    found: dict[str, set[str]] = {}
    for service in services():
        for method, action in _methods(service):
            found.setdefault(method, set()).add(action)
    return found


def _methods(service: str) -> Iterator[tuple[str, str]]:
    session: Any = get_session()
    prefix = PREFIXES.get(service, service)
    for operation in session.get_service_model(service).operation_names:
        yield xform_name(operation), f"{prefix}:{operation}"
    try:
        waiters = session.get_waiter_model(service)
    except UnknownServiceError:
        # Not every service has waiters.
        return
    for name in waiters.waiter_names:
        yield xform_name(name), f"{prefix}:{waiters.get_waiter(name).operation}"


@cache
def services() -> tuple[str, ...]:
    """Every service that the two makers are asked for by name."""
    found = {
        str(node.args[0].value)
        for maker, function in MAKERS.items()
        for node in ast.walk(module(maker).tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id == function and isinstance(node.args[0], ast.Constant)
    }
    return tuple(sorted(found))


# ------------------------------------------------------------------- what an adapter says it calls
def listed(name: str) -> set[str]:
    """The actions of a module's PERMISSIONS."""
    for node in module(name).tree.body:
        match node:
            case (
                ast.AnnAssign(target=ast.Name(id="PERMISSIONS"), value=ast.Tuple(elts=items))
                | ast.Assign(targets=[ast.Name(id="PERMISSIONS")], value=ast.Tuple(elts=items))
            ):
                return {str(ast.literal_eval(one)) for one in items}
    return set()


def used(name: str) -> set[str]:
    """The actions that a module's code needs; a list names those of what it is built on too."""
    found: set[str] = set()
    for node in ast.walk(module(name).tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(_ADAPTERS):
            found |= listed(str(node.module)) if listed(name) else set()
        for method in _called(node):
            found |= _behind(method, name)
    return found


def _behind(method: str, name: str) -> set[str]:
    """A method's action; where services share a name, the one that the module lists."""
    known = actions().get(method, set())
    meant = known & listed(name) or known
    if TRANSACTION in meant:
        meant = _carried(name)
    return meant | {more for action in meant for more in IMPLIED.get(action, ())}


def _called(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(
            func=ast.Attribute(attr="get_paginator" | "get_waiter"), args=[ast.Constant(value=name)]
        ):
            yield str(name)
        case ast.Attribute(attr=name):
            yield name


def _carried(name: str) -> set[str]:
    keys = {
        key.value
        for node in ast.walk(module(name).tree)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant)
    }
    return {action for operation, action in CARRIED.items() if operation in keys}


# ----------------------------------------------------------------- what a function needs in all
def needed(verb: str) -> set[str]:
    """Every action that a function can call, read from the source."""
    found, needs = reached(verb), set[str]()
    for name in {where for where, _ in found.names if where.startswith(_ADAPTERS)}:
        known = {method for method, some in actions().items() if some & listed(name)}
        here = {text for where, text in found.names if where == name}
        for method in here & known:
            needs |= actions()[method] & listed(name)
        if "transact_write_items" in here:
            needs |= {CARRIED[one] for one in ("Put", "Delete") if one in here}
    needs |= {more for action in needs for more in IMPLIED.get(action, ())}
    return needs | ({"dynamodb:ConditionCheckItem"} if found.fenced else set())


# ---------------------------------------------------------------------------------- the checks
def call_violations() -> list[str]:
    """Calls that no list names, and names that no call needs, in every adapter."""
    wrong: list[str] = []
    for name in modules():
        if name.startswith(_ADAPTERS):
            wrong += [f"{name} calls {one}, unlisted" for one in used(name) - listed(name)]
            wrong += [f"{name} lists {one}, unused" for one in listed(name) - used(name)]
            wrong += [f"{name}: {one}" for one in _hidden(name)]
    return sorted(wrong)


def _hidden(name: str) -> Iterator[str]:
    """Calls whose operation cannot be read."""
    for node in ast.walk(module(name).tree):
        match node:
            case ast.Call(func=ast.Attribute(attr="get_paginator" | "get_waiter"), args=[only]):
                if not isinstance(only, ast.Constant):
                    yield f"line {node.lineno} asks for a paginator or waiter by a variable"
            case ast.Attribute(attr="_make_api_call" | "generate_presigned_url"):
                yield f"line {node.lineno} goes around the client's methods"
            case ast.Call(func=ast.Name(id="getattr"), args=[_, *_]):
                yield f"line {node.lineno} calls what cannot be read"


def client_violations() -> list[str]:
    """Clients that are made, borrowed or taken apart outside of the two makers."""
    return sorted(
        f"{name}: line {line} {what}" for name in modules() for line, what in _clients(name)
    )


def _clients(name: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(module(name).tree):
        what = _client(node, name)
        if what:
            yield getattr(node, "lineno", 0), what


def _client(node: ast.AST, name: str) -> str | None:
    maker = name in MAKERS
    match node:
        case ast.Import(names=names) if not maker and any(
            one.name.partition(".")[0] in ("boto3", "botocore", "importlib") for one in names
        ):
            return "imports what makes clients"
        case ast.ImportFrom(module=str(origin), names=names):
            return _imported(origin, [one.name for one in names], maker)
        case ast.Attribute(attr="client" | "resource" | "create_client", value=base):
            if ast.unparse(base) != "boto3" or not maker:
                return f"makes a client ({ast.unparse(node)})"
        case ast.Attribute(attr="_client", value=base) if ast.unparse(base) != "self":
            return "takes a client out of its adapter"
        case ast.Call(func=ast.Name(id=made), args=[first, *_]) if made == MAKERS.get(name):
            if not isinstance(first, ast.Constant):
                return "makes a client whose service cannot be read"
    return None


def _imported(origin: str, names: list[str], maker: bool) -> str | None:
    if origin == WIRING and "client" in names:
        return "imports the maker of clients"
    foreign = origin.partition(".")[0] in ("boto3", "botocore", "importlib")
    # Errors, and how they are read, make nothing.
    if foreign and not maker and origin not in ("botocore.exceptions", "botocore.parsers"):
        return "imports what makes clients"
    return None


def grant_violations(granted: dict[str, set[str]]) -> list[str]:
    """Where a function is granted more or less than it can call, or nobody can tell that."""
    doubts = [f"{verb}: {one}" for verb in granted for one in reached(verb).doubts]
    differences = [
        f"{verb}: {one} is {how}"
        for verb, allowed in granted.items()
        for how, some in (
            ("granted but never called", allowed - needed(verb)),
            ("called but not granted", needed(verb) - allowed),
        )
        for one in some
    ]
    return sorted([*doubts, *differences])
