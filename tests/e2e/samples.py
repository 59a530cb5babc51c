"""The sample events that `sam local invoke` is given."""

import json
from typing import Any

from cloud.embedded import ROOT

FOLDER = ROOT / "events"


def sample(name: str) -> dict[str, Any]:
    """The sample event of this name."""
    content: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return content


def names() -> list[str]:
    """Every sample, by its file's name."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))
