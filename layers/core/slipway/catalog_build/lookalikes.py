"""Names that look alike, so that a reader of the approval page could confuse them."""

import unicodedata
from typing import Final

# Letters of other scripts that look like Latin ones: a part of Unicode's confusables (UTS 39).
_LIKE: Final = str.maketrans(
    "аеіјорсухѕԁһӏԛԝвкмнтёїαβεηικνορτυχγω01",  # noqa: RUF001
    "aeijopcyxsdhlqwbkmhtëïabenikvoptuxywol",
)
_SCRIPTS: Final = ("LATIN", "CYRILLIC", "GREEK")


def outline(name: str) -> str:
    """A form that is equal for names that look alike: without case, extra spaces, look-alikes."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(folded.split()).translate(_LIKE)


def scripts(word: str) -> list[str]:
    """The scripts of a word's letters, among those whose letters look alike: 'Latin', 'Greek'."""
    names = {unicodedata.name(letter, "").partition(" ")[0] for letter in word}
    return [one.capitalize() for one in _SCRIPTS if one in names]
