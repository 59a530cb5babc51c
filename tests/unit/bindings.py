"""How names and fields get their values: what is annotated, assigned, captured and filled."""

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from tests.unit.source import concluded, module, parts, resolve

# What puts its arguments into a container.
_FILLS = frozenset({"append", "add", "extend", "insert", "setdefault", "update", "appendleft"})


class Binding(NamedTuple):
    """One way that a name gets its value: what it is annotated with, or what is assigned."""

    value: ast.expr | None
    is_annotation: bool = False


@cache
def fields_of(owner: ast.ClassDef) -> dict[str, list[tuple[Binding, str]]]:
    """What gives a value to every field of a class, and in which method."""
    found: dict[str, list[tuple[Binding, str]]] = {}
    for node in owner.body:
        method = node.name if isinstance(node, ast.FunctionDef) else ""
        for part in parts(node) if method else [node]:
            for target, binding in _sets(part):
                match target:
                    case ast.Name(id=name) if not method:
                        found.setdefault(name, []).append((binding, ""))
                    case ast.Attribute(value=ast.Name(id="self"), attr=name):
                        found.setdefault(name, []).append((binding, method))
    return found


def _sets(node: ast.AST) -> Iterator[tuple[ast.expr, Binding]]:
    match node:
        case ast.AnnAssign(target=target, annotation=ast.Name(id="Final"), value=value):
            yield target, Binding(value)
        case ast.AnnAssign(target=target, annotation=kind):
            yield target, Binding(kind, True)
        case ast.Assign(targets=targets, value=value):
            for one in targets:
                several = one.elts if isinstance(one, ast.Tuple) else [one]
                yield from ((each, Binding(value)) for each in several)


@cache
def bindings(where: str, name: str) -> dict[str, list[Binding]]:
    """Every way that a name of this scope gets a value."""
    here = module(where)
    found: dict[str, list[Binding]] = {}
    inside: Iterable[ast.AST] = (
        parts(here.functions[name])
        if name in here.functions
        else [one for several in here.variables.values() for one in several]
    )
    lambdas = []
    for part in inside:
        lambdas += [part] if isinstance(part, ast.Lambda) else []
        for bound, binding in _binds(part, where):
            found.setdefault(bound, []).append(binding)
    for one in (one for function in lambdas for one in function.args.args):
        found.setdefault(one.arg, [Binding(None, True)])
    return found


def _binds(part: ast.AST, where: str) -> Iterator[tuple[str, Binding]]:
    match part:
        case ast.FunctionDef(name=name, args=arguments, returns=returns):
            yield name, Binding(returns, True)
            yield from _parameters(arguments)
        case ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name(id="Final"), value=value):
            yield name, Binding(value)
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
            yield name, Binding(annotation, True)
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _targets(target, value)
        case ast.NamedExpr(target=target, value=value) | ast.AugAssign(target=target, value=value):
            yield from _targets(target, value)
        case ast.For(target=target, iter=value) | ast.comprehension(target=target, iter=value):
            yield from _targets(target, value)
        case ast.withitem(context_expr=value, optional_vars=target) if target is not None:
            yield from _targets(target, value)
        case ast.ExceptHandler(type=value, name=str(name)):
            yield name, Binding(value)
        case ast.Match(subject=subject, cases=cases):
            for case in cases:
                yield from _captures(case.pattern, subject)
        case ast.Call():
            yield from _called(part, where)


def _parameters(arguments: ast.arguments) -> Iterator[tuple[str, Binding]]:
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    for one in [*named, arguments.vararg, arguments.kwarg]:
        if one is not None and one.arg not in ("self", "cls"):
            yield one.arg, Binding(one.annotation, True)


def _targets(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, Binding]]:
    match target:
        case ast.Name(id=name) | ast.Subscript(value=ast.Name(id=name)):
            yield name, Binding(value)
        case ast.Tuple(elts=several) | ast.List(elts=several):
            for part in several:
                yield from _targets(part, value)
        case ast.Starred(value=inner):
            yield from _targets(inner, value)


def _captures(pattern: ast.pattern, subject: ast.expr) -> Iterator[tuple[str, Binding]]:
    match pattern:
        case ast.MatchAs(pattern=inner, name=name):
            if name is not None:
                yield name, Binding(subject)
            if isinstance(inner, ast.MatchClass) and name is not None:
                yield name, Binding(inner.cls)
            if inner is not None:
                yield from _captures(inner, subject)
        case ast.MatchClass(cls=kind, patterns=several, kwd_attrs=names, kwd_patterns=named):
            for one in several:
                yield from _captures(one, kind)
            for attribute, one in zip(names, named, strict=True):
                yield from _captures(one, ast.Attribute(value=kind, attr=attribute))
        case ast.MatchStar(name=str(name)):
            yield name, Binding(subject)
        case ast.MatchMapping(patterns=several, rest=rest):
            for one in several:
                yield from _captures(one, subject)
            if rest is not None:
                yield rest, Binding(subject)
        case ast.MatchSequence(patterns=several) | ast.MatchOr(patterns=several):
            for one in several:
                yield from _captures(one, subject)


def _called(call: ast.Call, where: str) -> Iterator[tuple[str, Binding]]:
    """What a call tells of names: a container filled, a kind asked for, a lambda's parameters."""
    given = [*call.args, *(one.value for one in call.keywords)]
    match call:
        case ast.Call(func=ast.Name(id="isinstance"), args=[ast.Name(id=name), kind]):
            yield name, Binding(kind)
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attribute)):
            if attribute in _FILLS and resolve(where, name) is None:
                yield from ((name, Binding(one)) for one in given)
    for function in given:
        if isinstance(function, ast.Lambda):
            others = [one for one in given if one is not function]
            yield from _of_lambda(function, call, others, where)


def _of_lambda(
    function: ast.Lambda, call: ast.Call, others: list[ast.expr], where: str
) -> Iterator[tuple[str, Binding]]:
    """``sorted(x, key=lambda one: ...)`` hands x on; of what we hand a lambda nobody can tell."""
    match call.func:
        case ast.Name(id=name) if resolve(where, name) is None:
            sources = others
        case ast.Attribute(value=base, attr="sort"):
            sources = [base]
        case _:
            sources = []
    for one in function.args.args:
        yield from ((one.arg, Binding(source)) for source in sources)
        if not sources:
            yield one.arg, Binding(None, True)


concluded(bindings.cache_clear)
