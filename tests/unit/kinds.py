"""Of which classes an expression's value may be, read from annotations.

What holds a value counts as the value: a list, a callable or a context manager of records is of the
kind of its records. So a kind survives every container, loop, unpacking and call that is not ours.
What nobody can tell, since it is annotated ``Any``, ``object`` or not at all, is ANYTHING.
"""

import ast
from collections.abc import Iterator
from typing import NamedTuple

from tests.unit.bindings import Binding, bindings, fields_of
from tests.unit.source import Node, concluded, module, resolve

Kinds = frozenset[Node]
NONE: Kinds = frozenset()
ANYTHING: Node = ("", "Any")
# What a generic function answers with is what it was given.
_GENERIC: Node = ("", "TypeVar")
_OPEN = frozenset({"Any", "object"})


class Scope(NamedTuple):
    """Where an expression stands: in a function or method, or in a module itself."""

    where: str
    name: str = ""

    @property
    def owner(self) -> str:
        """The class of a method."""
        return self.name.rpartition(".")[0]


# ---------------------------------------------------------------------------------- annotations
def annotated(annotation: ast.expr | None, where: str) -> Kinds:
    """The kinds that an annotation names; a callable is of the kind that it returns."""
    match annotation:
        case None:
            return frozenset({ANYTHING})
        case ast.Constant(value=str(text)):
            return annotated(ast.parse(text, mode="eval").body, where)
        case ast.Name(id=name) | ast.Attribute(value=ast.Name(id="typing"), attr=name):
            return _named_in_annotation(name, where)
        case ast.Attribute(value=ast.Name(id=package), attr=name):
            origin = resolve(package_of(where, package), name)
            return _defined_in_annotation(origin) if origin else NONE
        case ast.Subscript(value=ast.Name(id="Literal")):
            return NONE
        case ast.Subscript(value=ast.Name(id="Callable"), slice=ast.Tuple(elts=[_, answer])):
            return annotated(answer, where)
        case ast.Subscript(value=ast.Name(id="Annotated"), slice=ast.Tuple(elts=[kind, *_])):
            return annotated(kind, where)
        case ast.Subscript(value=value, slice=inside):
            return annotated(value, where) | annotated(inside, where)
        case ast.BinOp(left=left, right=right):
            return annotated(left, where) | annotated(right, where)
        case ast.Tuple(elts=several) | ast.List(elts=several):
            return _union(annotated(part, where) for part in several)
    return NONE


def package_of(where: str, name: str) -> str:
    """The module that a name stands for; the module itself where it stands for none."""
    found = resolve(where, name)
    return found[0] if found is not None and found[1] == "" else where


def _named_in_annotation(name: str, where: str) -> Kinds:
    found = resolve(where, name)
    if found is None:
        return frozenset({ANYTHING}) if name in _OPEN else NONE
    return _defined_in_annotation(found)


def _defined_in_annotation(found: Node) -> Kinds:
    """A class, or the alias or type variable that a module's variable is."""
    where, name = found
    here = module(where)
    if name in here.classes:
        return frozenset({found})
    values = [one.value for one in here.variables.get(name, ()) if one.value is not None]
    return _union(_alias(value, where) for value in values)


def _alias(value: ast.expr, where: str) -> Kinds:
    match value:
        case ast.Call(func=ast.Name(id="TypeVar" | "ParamSpec"), args=args, keywords=keywords):
            bounds = [*args[1:], *(one.value for one in keywords if one.arg == "bound")]
            return _union([frozenset({_GENERIC}), *(annotated(one, where) for one in bounds)])
        case ast.Call():
            return NONE
    return annotated(value, where)


# --------------------------------------------------------------------------------------- classes
def members(kind: Node, name: str) -> Iterator[Node]:
    """The method or field of this name: the class's own, or an inherited one."""
    where, owner = kind
    here = module(where) if where else None
    if here is None or owner not in here.classes:
        return
    if f"{owner}.{name}" in here.functions or _fields(kind, name):
        yield where, f"{owner}.{name}"
        return
    for base in here.classes[owner].bases:
        for inherited in annotated(base, where):
            yield from members(inherited, name)


def _fields(kind: Node, name: str) -> list[tuple[Binding, Scope]]:
    """How a field gets its value: in the class's body, or as an attribute of self in a method."""
    where, owner = kind
    given = fields_of(module(where).classes[owner]).get(name, [])
    return [(one, Scope(where, f"{owner}.{method}" if method else "")) for one, method in given]


def _member_kinds(kind: Node, name: str) -> Kinds:
    """What a class's attribute is, or answers with; the class itself where it has none such.

    A method that is not ours, such as ``model_copy`` or a list's ``pop``, answers with its own.
    """
    found = list(members(kind, name))
    if not found:
        return frozenset({kind})
    return _union(_member(one) for one in found)


def _member(found: Node) -> Kinds:
    where, qualified = found
    function = module(where).functions.get(qualified)
    if function is not None:
        return annotated(function.returns, where)
    owner, _, name = qualified.rpartition(".")
    given = _union(_given(one, scope) for one, scope in _fields((where, owner), name))
    # A field of a generic class may hold whatever the class was made for.
    return given | {ANYTHING} if given == {_GENERIC} else given


def _given(one: Binding, scope: Scope) -> Kinds:
    if one.is_annotation:
        return annotated(one.value, scope.where)
    return kinds(one.value, scope) if one.value is not None else frozenset({ANYTHING})


# ----------------------------------------------------------------------------------- expressions
def kinds(node: ast.expr, scope: Scope) -> Kinds:
    """Of which classes the value of an expression may be, or what it holds."""
    match node:
        case ast.Name(id=name):
            return _name(name, scope)
        case ast.Attribute(value=base, attr=name):
            return _attribute(base, name, scope)
        case ast.Call():
            return _call(node, scope)
        case ast.Lambda(body=value) | ast.NamedExpr(value=value) | ast.Starred(value=value):
            return kinds(value, scope)
        case ast.Subscript(value=value):
            return kinds(value, scope)
        case ast.ListComp(elt=value) | ast.SetComp(elt=value) | ast.GeneratorExp(elt=value):
            return kinds(value, scope)
        case ast.DictComp(key=key, value=value):
            return kinds(key, scope) | kinds(value, scope)
        case ast.IfExp(body=one, orelse=other) | ast.BinOp(left=one, right=other):
            return kinds(one, scope) | kinds(other, scope)
        case ast.Dict(keys=keys, values=values):
            return _union(kinds(one, scope) for one in [*keys, *values] if one is not None)
        case ast.List(elts=several) | ast.Tuple(elts=several) | ast.Set(elts=several):
            return _union(kinds(one, scope) for one in several)
        case ast.BoolOp(values=values):
            return _union(kinds(one, scope) for one in values)
    return NONE


def _name(name: str, scope: Scope) -> Kinds:
    if name in ("self", "cls") and scope.owner:
        return frozenset({(scope.where, scope.owner)})
    here = _names(scope)
    if name in here:
        return here[name]
    found = resolve(scope.where, name)
    return _defined(found) if found is not None else NONE


def _defined(found: Node) -> Kinds:
    """A class, what a function answers with, or what a module's variable holds."""
    where, name = found
    here = module(where)
    if name in here.classes:
        return frozenset({found})
    if name in here.functions:
        return annotated(here.functions[name].returns, where)
    return _names(Scope(where)).get(name, NONE)


def _attribute(base: ast.expr, name: str, scope: Scope) -> Kinds:
    package = imported(base, scope)
    if package is not None:
        found = resolve(package, name)
        return _defined(found) if found is not None else NONE
    return _union(_member_kinds(kind, name) for kind in kinds(base, scope))


def imported(node: ast.expr, scope: Scope) -> str | None:
    """The module of ours that an expression names."""
    if not isinstance(node, ast.Name) or node.id in _names(scope):
        return None
    found = resolve(scope.where, node.id)
    return found[0] if found is not None and found[1] == "" else None


def _call(node: ast.Call, scope: Scope) -> Kinds:
    if isinstance(node.func, ast.Name) and node.func.id == "super":
        owner = module(scope.where).classes[scope.owner]
        return _union(annotated(base, scope.where) for base in owner.bases)
    answer = kinds(node.func, scope)
    if _GENERIC in answer or not _is_ours(node.func, scope):
        given = [*node.args, *(one.value for one in node.keywords)]
        answer |= _union(kinds(one, scope) for one in given)
    return answer - {_GENERIC}


def _is_ours(function: ast.expr, scope: Scope) -> bool:
    """Whether annotations say what a call answers with; a class of ours makes its own objects."""
    match function:
        case ast.Name(id=name):
            return name in _names(scope) or resolve(scope.where, name) is not None
        case ast.Attribute(value=ast.Name(id=name)) if name not in _names(scope) and (
            resolve(scope.where, name) is not None
        ):
            return True
        case ast.Attribute(value=base, attr=name):
            known = kinds(base, scope)
            return any(True for kind in known for _ in members(kind, name))
    return True


# ----------------------------------------------------------------------------------------- names
_known: dict[Scope, dict[str, Kinds]] = {}
_asked: dict[Scope, dict[str, Kinds]] = {}


def _names(scope: Scope) -> dict[str, Kinds]:
    """What each name of a function, or of a module itself, may be, whatever the order."""
    if scope in _known or scope in _asked:
        return _known.get(scope) or _asked.get(scope, {})
    ways = bindings(scope.where, scope.name)
    found = _asked[scope] = dict.fromkeys(ways, NONE)
    while True:
        before = dict(found)
        for name, given in ways.items():
            found[name] = _union(_given(one, scope) for one in given) - {_GENERIC}
        if found == before:
            break
    del _asked[scope]
    if not _asked:
        # What is found on the way to another answer may be half of it.
        _known[scope] = found
    return found


def _union(several: "Iterator[Kinds] | list[Kinds]") -> Kinds:
    return frozenset[Node]().union(*several)


concluded(_known.clear)
