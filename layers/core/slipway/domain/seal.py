"""The hash of a document as it is stored, so that a change of it shows.

It is taken of the JSON, and not of a model: a later Slipway may know more fields, with defaults
that the document never had.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def content_hash(document: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON: keys sorted, no blanks, ASCII; as 64 hex digits."""
    content = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()
