"""Answers without the members that have no value: AWS leaves them out."""

from typing import Any


def present(answer: dict[str, Any]) -> dict[str, Any]:
    """The members that are there."""
    return {name: value for name, value in answer.items() if value is not None}
