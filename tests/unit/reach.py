"""What a function can reach, read from the source: methods, AWS operations, settings.

Annotations lead the way. A call of what is annotated with a port is a call of every adapter of that
port that the composition root names. Whatever a reachable function names counts as reached, called
or handed on. Where nobody can tell whose method is named is a doubt, and a doubt is a failure.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

from tests.unit.kinds import ANYTHING, Scope, annotated, imported, kinds, members
from tests.unit.source import Node, concluded, module, modules, parts, resolve

WIRING = "slipway.runtime.wiring"
CONNECTION = "slipway.operate.connection"
_SETTINGS = ("slipway.runtime.settings", "Settings")
# Ways to a method that leave no name of it to read.
_BY_NAME = frozenset({"getattr", "attrgetter", "methodcaller"})
_IDLE = frozenset({"property", "cached_property", "staticmethod", "classmethod"})


# ---------------------------------------------------------------------------- ports and adapters
@cache
def ports() -> frozenset[Node]:
    """Every Protocol of ours."""
    return frozenset(
        (where, name)
        for where in modules()
        for name, node in module(where).classes.items()
        if any(isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases)
    )


@cache
def wired() -> tuple[Node, ...]:
    """Every class that the composition root names, itself or in a function that it names."""
    roots = [name for name in modules() if name.startswith("slipway.runtime.")]
    todo = [resolve(where, name) for where in roots for name in module(where).imports]
    found: set[Node] = set()
    while todo:
        node = todo.pop()
        if node is None or node in found:
            continue
        found.add(node)
        function = module(node[0]).functions.get(node[1])
        inside = parts(function) if function is not None else ()
        todo += [resolve(node[0], one.id) for one in inside if isinstance(one, ast.Name)]
    return tuple(sorted(one for one in found - ports() if one[1] in module(one[0]).classes))


@cache
def adapters(port: Node) -> tuple[Node, ...]:
    """The classes behind a port: those of the composition root that have all of its methods."""
    methods = _public(port)
    return tuple(kind for kind in wired() if methods and all(_has(kind, port, m) for m in methods))


def _has(kind: Node, port: Node, method: str) -> bool:
    """Whether a class has this method of a port, to be called as the port says, or its property."""
    promised = module(port[0]).functions[f"{port[1]}.{method}"]
    for origin, qualified in members(kind, method):
        if _is_property(promised):
            return True
        function = module(origin).functions.get(qualified)
        return function is not None and _takes(function, origin, promised, port[0])
    return False


def _takes(function: ast.FunctionDef, origin: str, promised: ast.FunctionDef, where: str) -> bool:
    own, asked = function.args, promised.args
    needed = len(own.args) - len(own.defaults)
    named = {one.arg for one in asked.kwonlyargs} <= {one.arg for one in own.kwonlyargs}
    several = zip(own.args[1:], asked.args[1:], strict=False)
    return (
        needed <= len(asked.args) <= len(own.args)
        and named
        and all(_meet(one.annotation, origin, other.annotation, where) for one, other in several)
    )


def _meet(one: ast.expr | None, origin: str, other: ast.expr | None, where: str) -> bool:
    """Whether two annotations may mean the same; where both name classes of ours, one of these."""
    mine, theirs = annotated(one, origin), annotated(other, where)
    return ANYTHING in mine | theirs or not mine ^ theirs or bool(mine & theirs)


@cache
def _telling() -> frozenset[str]:
    """The names of methods that nobody may call without saying whose they are.

    Of what only an adapter has, not what JSON is read with: ``get`` of a dictionary of Any.
    """
    behind = {name for port in ports() for one in adapters(port) for name in _called(one)}
    return frozenset(behind - set(dir(dict))) | {name for one in ports() for name in _called(one)}


def _public(kind: Node) -> set[str]:
    where, owner = kind
    methods = {name for name in module(where).functions if name.startswith(f"{owner}.")}
    return {one.partition(".")[2] for one in methods if not one.startswith(f"{owner}._")}


def _called(kind: Node) -> set[str]:
    """The public methods without the properties, which are called like fields of any object."""
    functions = module(kind[0]).functions
    return {name for name in _public(kind) if not _is_property(functions[f"{kind[1]}.{name}"])}


def _is_property(function: ast.FunctionDef) -> bool:
    return "property" in map(ast.unparse, function.decorator_list)


# ------------------------------------------------------------------------------------- the way
@dataclass
class Reached:
    """Everything that was found on the way."""

    names: set[tuple[str, str]] = field(default_factory=set)
    settings: set[str] = field(default_factory=set)
    published: set[str] = field(default_factory=set)
    doubts: set[str] = field(default_factory=set)
    nodes: set[Node] = field(default_factory=set)
    fenced: bool = False


@cache
def reached(verb: str) -> Reached:
    """What functions/<verb>/app.py can reach."""
    start = f"functions.{verb}.app"
    found = Reached()
    todo: list[Node] = [(start, name) for name in module(start).functions]
    while todo:
        node = todo.pop()
        if node not in found.nodes:
            found.nodes.add(node)
            todo.extend(_next(node, found))
    return found


def _next(node: Node, found: Reached) -> Iterator[Node]:
    where, name = node
    here = module(where)
    if name in here.functions:
        yield from _read(here.functions[name], Scope(where, name), found)
    elif name in here.classes:
        yield from _of_class(node, found)
    for one in here.variables.get(name, ()):
        yield from _read(one, Scope(where), found)
        yield from _decorated_with(name, where)


def _decorated_with(name: str, where: str) -> Iterator[Node]:
    """A module's variable stands for the functions that it decorates, as a router's routes."""
    for function, node in module(where).functions.items():
        for decorator in node.decorator_list:
            if any(isinstance(p, ast.Name) and p.id == name for p in ast.walk(decorator)):
                yield where, function


def _of_class(node: Node, found: Reached) -> Iterator[Node]:
    """What making and using an object calls by itself: dunders, validators, defaults."""
    where, owner = node
    for part in module(where).classes[owner].body:
        if not isinstance(part, ast.FunctionDef):
            yield from _read(part, Scope(where), found)
        elif part.name.startswith("__") or _is_called_by_others(part, where):
            yield where, f"{owner}.{part.name}"


def _is_called_by_others(method: ast.FunctionDef, where: str) -> bool:
    """Whether it is handed to a library, as a validator is to pydantic."""
    decorators = {ast.unparse(one).partition("(")[0] for one in method.decorator_list} - _IDLE
    return any(resolve(where, one) is None for one in decorators)


def _read(root: ast.AST, scope: Scope, found: Reached) -> Iterator[Node]:
    for part in parts(root):
        match part:
            case ast.Name(id=used):
                yield from _existing(resolve(scope.where, used))
            case ast.Attribute():
                found.names.add((scope.where, part.attr))
                yield from _attribute(part, scope, found)
            case ast.Constant(value=str(text)):
                found.names.add((scope.where, text))
            case ast.keyword(arg="fence", value=value) if not isinstance(value, ast.Name):
                found.fenced = True
            case ast.Call(func=ast.Name(id="getattr"), args=[base, ast.Constant(value=name), *_]):
                named = ast.copy_location(ast.Attribute(value=base, attr=str(name)), part)
                yield from _attribute(named, scope, found)
            case ast.Call():
                _note(part, scope, found)


def _existing(node: Node | None) -> Iterator[Node]:
    if node is not None and node[1]:
        yield node


def _note(call: ast.Call, scope: Scope, found: Reached) -> None:
    match call:
        case ast.Call(
            func=ast.Attribute(attr="publish") | ast.Name(id="Announcement"),
            args=[ast.Constant(value=what), *_],
        ):
            found.published.add(str(what))
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args) if (
            name in _BY_NAME
        ):
            if _may_be_a_port(args[0], scope):
                found.doubts.add(_doubt(call, scope, "reaches for a method by its name"))


def _may_be_a_port(first: ast.expr, scope: Scope) -> bool:
    """Whether ``getattr`` of this object, or ``methodcaller`` with this name, may call a port."""
    if isinstance(first, ast.Constant):
        return str(first.value).partition(".")[0] in _telling()
    return bool(kinds(first, scope) & {ANYTHING, *ports(), *wired()})


def _attribute(node: ast.Attribute, scope: Scope, found: Reached) -> Iterator[Node]:
    package = imported(node.value, scope)
    if package is not None:
        yield from _existing(resolve(package, node.attr))
        return
    for kind in kinds(node.value, scope):
        if kind == _SETTINGS and not node.attr.startswith("_"):
            found.settings.add(node.attr)
        if kind == ANYTHING and node.attr in _telling():
            found.doubts.add(_doubt(node, scope, "may be a port's; annotate what it is called on"))
        yield from _behind(kind, node, scope, found)


def _behind(kind: Node, node: ast.Attribute, scope: Scope, found: Reached) -> Iterator[Node]:
    """The method of this kind; of a port, that of each of its adapters."""
    if kind not in ports():
        yield from members(kind, node.attr)
        return
    known = [one for adapter in adapters(kind) for one in members(adapter, node.attr)]
    if not known and any(members(kind, node.attr)):
        found.doubts.add(_doubt(node, scope, f"is of the port {kind[1]}, which has no adapter"))
    yield from known


def _doubt(node: ast.expr, scope: Scope, what: str) -> str:
    return f"{scope.where}, line {node.lineno}: {ast.unparse(node)} {what}"


for one in (ports, wired, adapters, _telling, reached):
    concluded(one.cache_clear)
