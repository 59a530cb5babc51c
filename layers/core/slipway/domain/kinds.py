"""Tell the members of a union apart by the field ``kind`` that each of them has."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Discriminator


def by_kind(default: str) -> Discriminator:
    """Reads ``kind``; an entry or a stored plan that says none is of the ``default`` kind.

    Each member of the union carries a ``Tag`` with its kind.
    """

    def kind_of(value: Any) -> Any:
        fields = value.model_dump(include={"kind"}) if isinstance(value, BaseModel) else value
        return fields.get("kind", default) if isinstance(fields, Mapping) else default

    return Discriminator(kind_of)
