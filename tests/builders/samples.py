"""The sample events that `sam local invoke` is given, and pushes made of one of them."""

import json
from typing import Any

from cloud.embedded import ROOT

FOLDER = ROOT / "events"


def sample(name: str) -> dict[str, Any]:
    """The sample event of this name."""
    content: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return content


def push(**detail: Any) -> dict[str, Any]:
    """ECR's event of a push with these details replaced."""
    event = sample("admit")
    return event | {"detail": event["detail"] | detail}


def names() -> list[str]:
    """Every sample, by its file's name."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))
