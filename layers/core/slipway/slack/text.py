"""Texts of others as Slack shows them: literally, in one line, within a limit."""

import re
from typing import Final

from slipway.domain.redaction import redact_for_people

WORD_LIMIT: Final = 300


def escape(text: str, limit: int = WORD_LIMIT) -> str:
    """One line of text as Slack shows it literally, in at most ``limit`` characters.

    Slack reads &, < and > as control characters; an entity is never cut in two.
    """
    line = redact_for_people(text, limit)
    safe = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if len(safe) <= limit:
        return safe
    return re.sub(r"&[a-z]*$", "", safe[: limit - 1]) + "…"
