"""Checks the rules of the models on entries that are only partly valid.

pydantic skips a model's rules when one of its fields is invalid, so mistakes would be reported one
round at a time. Here the rules run on the fields that could be read; a rule that needs another
field reports nothing.
"""

import inspect
import json
from collections.abc import Callable, Iterator
from types import MethodType
from typing import Annotated, Any, Final, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from slipway.catalog_build.document import Document
from slipway.catalog_build.mistakes import Path
from slipway.domain.catalog import Application, Catalog

_UNREAD: Final = object()


class Unread(Exception):
    """A rule needs a field that could not be read."""

    def __init__(self, part: "Partial", name: str) -> None:
        super().__init__(name)
        self.part, self.name = part, name


class Partial:
    """Stands in for a model: the fields that could be read, and all methods."""

    def __init__(self, model: type[BaseModel], path: Path, values: dict[str, Any]) -> None:
        self.__dict__.update(_model=model, _path=path, _values=values)

    def __getattr__(self, name: str) -> Any:
        if name in self._values:
            return self._values[name]
        if name in self._model.model_fields:
            raise Unread(self, name)
        found = inspect.getattr_static(self._model, name)
        if isinstance(found, property) and found.fget:
            return found.fget(self)
        return MethodType(getattr(self._model, name), self)


def broken_rules(found: Document) -> Iterator[tuple[Path, str]]:
    """The sentences of the broken rules of one file, with the path of the model of each rule."""
    if not isinstance(found.value, dict):
        return
    entry = _part(Application, found.value, (), found)
    for part in _parts(entry):
        go_on = _treat_as_none if part is entry else _refuse
        for rule in _rules(part._model):
            yield from ((part._path, line) for line in _sentences(rule, part, go_on))


def broken_across(documents: dict[str, Document]) -> Iterator[str]:
    """The sentences of broken rules about several entries, by the names of their files.

    An environment that could not be read is left out.
    """
    entries = {
        name: _part(Application, found.value, ("applications", name), found)
        for name, found in documents.items()
        if isinstance(found.value, dict)
    }
    for rule in _rules(Catalog):
        yield from _sentences_across(rule, entries)


def _sentences_across(rule: Callable[[Any], Any], entries: dict[str, Partial]) -> list[str]:
    copies = {name: _copy(name, entry) for name, entry in entries.items()}
    catalog = Partial(Catalog, (), {"applications": copies})
    return _sentences(rule, catalog, lambda unread: _leave_out(unread, copies))


def _copy(name: str, entry: Partial) -> Partial:
    environments = entry._values.get("environments", {})
    values = {"application": name, "environments": dict(environments)}
    return Partial(entry._model, entry._path, values)


def _sentences(
    rule: Callable[[Any], Any], part: Partial, go_on: Callable[[Unread], bool]
) -> list[str]:
    """The sentences of a rule; ``go_on`` decides whether it can run without a missing field."""
    while True:
        try:
            rule(part)
        except ValueError as error:
            return str(error).splitlines()
        except Unread as unread:
            if go_on(unread):
                continue
        except (AttributeError, TypeError):
            # Not every rule can run on a part; pydantic runs it once everything is valid.
            return []
        return []


def _refuse(unread: Unread) -> bool:
    return False


def _treat_as_none(unread: Unread) -> bool:
    """Treat an unreadable `after` as none, so that the other environments can be checked."""
    if unread.name != "after":
        return False
    unread.part._values["after"] = None
    return True


def _leave_out(unread: Unread, entries: dict[str, Partial]) -> bool:
    match unread.part._path:
        case ("applications", str(application), "environments", str(name), *_):
            del entries[application]._values["environments"][name]
            return True
    return False


def _rules(model: type[BaseModel]) -> list[Callable[[Any], Any]]:
    validators = model.__pydantic_decorators__.model_validators
    return [getattr(model, name) for name, one in validators.items() if one.info.mode == "after"]


def _parts(part: Partial) -> Iterator[Partial]:
    """The part and everything below it, innermost first."""
    for value in list(part._values.values()):
        inner = value.values() if isinstance(value, dict) else value
        for one in inner if isinstance(value, dict | tuple) else [value]:
            if isinstance(one, Partial):
                yield from _parts(one)
    yield part


def _part(model: type[BaseModel], raw: Any, path: Path, found: Document) -> Partial:
    values = {
        name: value
        for name, field in model.model_fields.items()
        if (value := _value(field, name, raw, (*path, name), found)) is not _UNREAD
    }
    return Partial(model, path, values)


def _value(field: FieldInfo, name: str, raw: Any, path: Path, found: Document) -> Any:
    if not isinstance(raw, dict):
        return _UNREAD
    if name not in raw:
        return _UNREAD if field.is_required() else field.get_default(call_default_factory=True)
    written = raw[name]
    model = _model_of(written, _models_in(field.annotation))
    if found.is_unread(_in_file(path)):
        return _UNREAD
    match model, get_origin(field.annotation), written:
        case None, _, _:
            return _leaf(field, written)
        case _, origin, dict() if origin is dict:
            return {key: _part(model, one, (*path, key), found) for key, one in written.items()}
        case _, origin, list() if origin is tuple:
            return tuple(_part(model, one, (*path, i), found) for i, one in enumerate(written))
        case _, origin, dict() if origin is not tuple:
            return _part(model, written, path, found)
    return _leaf(field, written)


def _in_file(path: Path) -> Path:
    return path[2:] if path[:1] == ("applications",) else path


def _leaf(field: FieldInfo, written: Any) -> Any:
    kind: Any = field.annotation
    for constraint in field.metadata:
        kind = Annotated[kind, constraint]
    try:
        return TypeAdapter(kind).validate_json(json.dumps(written), strict=True)
    except ValidationError:
        return _UNREAD


def _models_in(annotation: Any) -> set[type[BaseModel]]:
    """The models in an optional, a tuple, a mapping or a union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}
    return {model for one in get_args(annotation) for model in _models_in(one)}


def _model_of(written: Any, models: set[type[BaseModel]]) -> type[BaseModel] | None:
    """The model of a value, chosen by its kind when there are several; None without one."""
    if len(models) < 2:
        return next(iter(models), None)
    kind = written.get("kind") if isinstance(written, dict) else None
    return next((one for one in models if _is_of_kind(one, kind)), None)


def _is_of_kind(model: type[BaseModel], kind: Any) -> bool:
    """Whether the model is of this kind; None stands for an entry without a kind."""
    field = model.model_fields["kind"]
    return not field.is_required() if kind is None else kind in get_args(field.annotation)
