"""Text of others, made harmless: bounded, in one line, without anything that moves a cursor.

Tags, labels, logs, answers and names come from outside. They are cut before anything is done with
them, so that no later rule has to be fast on a megabyte.
"""

import re
from typing import Final

LINE: Final = 500

# ECMA-48: a control sequence is ESC [, parameters, intermediates and a final byte.
_CONTROL_SEQUENCE: Final = re.compile(r"\x1b\[[0-?]{0,64}[ -/]{0,16}[@-~]")


def cut(text: str, most: int = LINE) -> str:
    """The text in at most so many characters; an ellipsis shows that something is missing."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def storable(text: str) -> str:
    """The text as UTF-8 can carry it: JSON from outside may hold half of a surrogate pair."""
    return text.encode(errors="replace").decode()


def plain(text: str, most: int = LINE) -> str:
    """One printable line of at most ``most`` characters.

    Colours are taken out, white space is squashed, and what cannot be printed (control characters,
    bidirectional overrides, zero widths, lone surrogates) is shown as its escape.
    """
    # Escapes are longer than what they show, so the text is cut again at the end.
    colourless = _CONTROL_SEQUENCE.sub("", text[: 8 * most])
    squashed = " ".join(colourless.split())
    return cut("".join(c if c.isprintable() else ascii(c)[1:-1] for c in squashed), most)
