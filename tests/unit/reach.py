"""What a function can reach, read from the source: port methods, AWS operations, settings.

The ports have the same names everywhere (a step's ``records`` is what ``wiring.records()``
builds), so ``records.write(...)`` is a call of that adapter's ``write``. Whatever a reachable
function names counts as reached, called or handed on.
"""

import ast
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
CORE = ROOT / "layers" / "core"
WIRING = "slipway.runtime.wiring"
WAITING = "slipway.runtime.waiting"
CONNECTION = "slipway.operate.connection"
# What the waiting room is built with; wiring builds it itself.
_IN_THE_WAITING_ROOM = {
    "parking": ("slipway.adapters.parking", "DynamoDBParking"),
    "tokens": ("slipway.adapters.tokens", "TaskTokens"),
}

Node = tuple[str, str]


def path_of(module: str) -> Path:
    """The file of one of our modules."""
    base = ROOT if module.startswith("functions.") else CORE
    plain = base.joinpath(*module.split("."))
    return plain / "__init__.py" if plain.is_dir() else plain.with_suffix(".py")


@cache
def modules() -> tuple[str, ...]:
    """Every module of ours, by its dotted name."""
    package = sorted((CORE / "slipway").rglob("*.py"))
    names = [_dotted(path.relative_to(CORE)) for path in package]
    apps = sorted((ROOT / "functions").glob("*/app.py"))
    return tuple([*names, *(_dotted(path.relative_to(ROOT)) for path in apps)])


def _dotted(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


# What a module would say, for the tests that change it to see whether anybody notices.
_edited: dict[str, str] = {}


@contextmanager
def edited(name: str, changes: dict[str, str], more: str = "") -> Iterator[None]:
    """As if a module's file had other parts, and more at its end; nothing is written."""
    text = _written(name)
    for old, new in changes.items():
        assert text.count(old) == 1, f"{name} has {old!r} {text.count(old)} times"
        text = text.replace(old, new)
    _edited[name] = f"{text}{more}"
    reached.cache_clear()
    try:
        yield
    finally:
        _edited.clear()
        reached.cache_clear()


@dataclass
class Module:
    """A module's functions and methods by qualified name, and where its other names come from."""

    tree: ast.Module
    functions: dict[str, ast.AST] = field(default_factory=dict)
    imports: dict[str, Node] = field(default_factory=dict)
    held: dict[tuple[str, str], str] = field(default_factory=dict)


def module(name: str) -> Module:
    """A module of ours, parsed."""
    return _parsed(_edited.get(name) or _written(name))


@cache
def _written(name: str) -> str:
    return path_of(name).read_text()


@cache
def _parsed(text: str) -> Module:
    made = Module(ast.parse(text))
    for node in made.tree.body:
        if isinstance(node, ast.FunctionDef):
            made.functions[node.name] = node
        if isinstance(node, ast.ClassDef):
            _read_class(node, made)
    for part in ast.walk(made.tree):
        if isinstance(part, ast.ImportFrom) and (part.module or "").startswith("slipway"):
            for alias in part.names:
                made.imports[alias.asname or alias.name] = (str(part.module), alias.name)
    return made


def _read_class(node: ast.ClassDef, made: Module) -> None:
    for method in node.body:
        if isinstance(method, ast.FunctionDef):
            made.functions[f"{node.name}.{method.name}"] = method
    # self._log_tail = LogTail(...): calls on it are calls of that class.
    for part in ast.walk(node):
        match part:
            case ast.Assign(
                targets=[ast.Attribute(value=ast.Name(id="self"), attr=attribute)],
                value=ast.Call(func=ast.Name(id=kind)),
            ):
                made.held[node.name, attribute] = kind


@cache
def ports() -> dict[str, Node]:
    """The adapter class behind every port name."""
    found: dict[str, Node] = dict(_IN_THE_WAITING_ROOM)
    for name, function in module(WIRING).functions.items():
        for node in ast.walk(function):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("slipway.adapters"):
                found.setdefault(name, (str(node.module), node.names[0].name))
    del found["waiting"]
    return found


@dataclass
class Reached:
    """Everything that was found on the way."""

    methods: set[tuple[str, str]] = field(default_factory=set)
    names: set[tuple[str, str]] = field(default_factory=set)
    settings: set[str] = field(default_factory=set)
    published: set[str] = field(default_factory=set)
    fenced: bool = False


@cache
def reached(verb: str) -> Reached:
    """What functions/<verb>/app.py can reach."""
    start = f"functions.{verb}.app"
    found = Reached()
    todo: list[Node] = [(start, name) for name in module(start).functions]
    seen: set[Node] = set()
    while todo:
        node = todo.pop()
        if node not in seen:
            seen.add(node)
            todo.extend(_next(node, found))
    return found


def _next(node: Node, found: Reached) -> Iterator[Node]:
    name, function = node
    if not name.startswith(("slipway", "functions")) or not path_of(name).exists():
        return
    here = module(name)
    if function not in here.functions:
        yield from _decorated_with(function, name)
        return
    for part in ast.walk(here.functions[function]):
        match part:
            case ast.Name(id=used):
                yield from _named(used, name)
            case ast.Attribute(value=base, attr=attribute):
                found.names.add((name, attribute))
                yield from _attribute(base, attribute, node, found)
            case ast.Constant(value=str(text)):
                found.names.add((name, text))
            case ast.keyword(arg="fence", value=value) if not isinstance(value, ast.Name):
                found.fenced = True
            case ast.Call(
                func=ast.Attribute(attr="publish") | ast.Name(id="Announcement"),
                args=[ast.Constant(value=what), *_],
            ):
                found.published.add(str(what))


def _decorated_with(name: str, where: str) -> Iterator[Node]:
    """A module's variable stands for the functions that it decorates, as a router's routes."""
    for function, node in module(where).functions.items():
        for decorator in getattr(node, "decorator_list", []):
            if any(isinstance(p, ast.Name) and p.id == name for p in ast.walk(decorator)):
                yield where, function


def _named(used: str, where: str) -> Iterator[Node]:
    here = module(where)
    if used in here.imports:
        yield here.imports[used]
    elif used in here.functions:
        yield where, used


def _attribute(base: ast.expr, attribute: str, node: Node, found: Reached) -> Iterator[Node]:
    where, function = node
    here, owner = module(where), function.partition(".")[0]
    port = _port(base)
    if port is not None and f"{ports()[port][1]}.{attribute}" in module(ports()[port][0]).functions:
        found.methods.add((port, attribute))
        yield ports()[port][0], f"{ports()[port][1]}.{attribute}"
    match base:
        case ast.Name(id="self"):
            yield where, f"{owner}.{attribute}"
        case ast.Attribute(value=ast.Name(id="self"), attr=held) if (owner, held) in here.held:
            kind = here.held[owner, held]
            yield here.imports.get(kind, (where, kind))[0], f"{kind}.{attribute}"
        case ast.Name(id=imported) if imported in here.imports:
            package, name = here.imports[imported]
            yield f"{package}.{name}", attribute
        case ast.Call(func=ast.Attribute(attr="settings") | ast.Name(id="settings")):
            found.settings.add(attribute)
    if base_is_waiting_room(base):
        yield from ((WAITING, one) for one in module(WAITING).functions)


def base_is_waiting_room(base: ast.expr) -> bool:
    """Whether this is ``wiring.waiting()``."""
    match base:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="wiring"), attr="waiting")):
            return True
    return False


def _port(base: ast.expr) -> str | None:
    match base:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            pass
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            pass
        case _:
            return None
    return name if name in ports() else None
