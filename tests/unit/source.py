"""The source as a set of modules: what each defines, and what a name in it stands for."""

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
CORE = ROOT / "layers" / "core"

# A module and a name that is defined there: "Class.method" for a method, "" for the module itself.
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
# How to forget what was concluded from the source.
_forget: list[Callable[[], None]] = []


def concluded(forget: Callable[[], None]) -> None:
    """Have a cache emptied whenever the source is edited."""
    _forget.append(forget)


@contextmanager
def edited(name: str, changes: dict[str, str], more: str = "") -> Iterator[None]:
    """As if a module's file had other parts, and more at its end; nothing is written."""
    text = _written(name)
    for old, new in changes.items():
        assert text.count(old) == 1, f"{name} has {old!r} {text.count(old)} times"
        text = text.replace(old, new)
    _edited[name] = f"{text}{more}"
    _forget_all()
    try:
        yield
    finally:
        del _edited[name]
        _forget_all()


def _forget_all() -> None:
    for forget in _forget:
        forget()


@cache
def parts(node: ast.AST) -> tuple[ast.AST, ...]:
    """A node and everything in it."""
    return tuple(ast.walk(node))


@dataclass
class Module:
    """A module's definitions by qualified name, and where its other names come from."""

    tree: ast.Module
    functions: dict[str, ast.FunctionDef] = field(default_factory=dict)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    variables: dict[str, list[ast.Assign | ast.AnnAssign]] = field(default_factory=dict)
    imports: dict[str, Node] = field(default_factory=dict)


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
        _define(node, made)
    for part in ast.walk(made.tree):
        if isinstance(part, ast.ImportFrom) and is_ours(part.module or ""):
            for alias in part.names:
                made.imports[alias.asname or alias.name] = (str(part.module), alias.name)
    return made


def _define(node: ast.stmt, made: Module) -> None:
    match node:
        case ast.FunctionDef(name=name):
            made.functions[name] = node
        case ast.ClassDef(name=name):
            made.classes[name] = node
            for method in node.body:
                if isinstance(method, ast.FunctionDef):
                    made.functions[f"{name}.{method.name}"] = method
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
            made.variables.setdefault(name, []).append(node)


@cache
def is_ours(name: str) -> bool:
    """Whether this is the dotted name of one of our modules."""
    return name.startswith(("slipway", "functions.")) and path_of(name).exists()


def resolve(where: str, name: str) -> Node | None:
    """Where a module's name is defined; None for what is not ours."""
    here = module(where)
    if name in here.functions or name in here.classes or name in here.variables:
        return where, name
    if name not in here.imports:
        return None
    origin, real = here.imports[name]
    if is_ours(f"{origin}.{real}"):
        return f"{origin}.{real}", ""
    return resolve(origin, real)
