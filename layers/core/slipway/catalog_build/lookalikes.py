"""Names that a reader of a page could take for each other."""

import unicodedata
from typing import Final

# Letters of other scripts that look like a Latin one: from Unicode's confusables (UTS 39), as far
# as names of people and teams use them.
_LIKE: Final = str.maketrans(
    "аеіјорсухѕԁһӏԛԝвкмнтёїαβεηικνορτυχγω01",  # noqa: RUF001
    "aeijopcyxsdhlqwbkmhtëïabenikvoptuxywol",
)
_SCRIPTS: Final = ("LATIN", "CYRILLIC", "GREEK")


def outline(name: str) -> str:
    """The same for names that look the same: case, white space and look-alike letters aside."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(folded.split()).translate(_LIKE)


def scripts(word: str) -> list[str]:
    """The scripts of a word's letters, as far as their letters look alike: 'Latin', 'Greek'."""
    names = {unicodedata.name(letter, "").partition(" ")[0] for letter in word}
    return [one.capitalize() for one in _SCRIPTS if one in names]
