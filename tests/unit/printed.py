"""The commands that README.md, CONTRIBUTING.md and docs/ print, one by one.

A fenced block without a language is for a terminal; what a program prints stands in a ``text``
block. Inline code counts when it begins with one of the programs that people are told to run.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
)

_FENCE: Final = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<body>.*?)^ *```", re.M | re.S)
_INLINE: Final = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_PROGRAMS: Final = r"make|operate|aws|sam|curl|eval|python|\.venv/bin/\w+"
_BEGINS: Final = re.compile(rf"(?:[A-Z_]+=\S+ )*(?:{_PROGRAMS})(?: |$)")
_FUNCTION: Final = re.compile(r"^\w+\(\) \{(.*)\}$")
_OPENED: Final = re.compile(r"^\w+\(\) \{")
_PLACEHOLDER: Final = re.compile(r"<[a-z][^>]*>")
_NESTED: Final = re.compile(r"\$\(([^()]*)\)")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_]+=")
_SEPARATORS: Final = frozenset({"|", "||", "&&", "&", ";", "(", ")", ");", "()"})


@dataclass(frozen=True)
class Printed:
    """One line for a terminal: where it stands, and whether it is whole or only mentioned."""

    page: str
    text: str
    whole: bool

    def __str__(self) -> str:
        return f"{self.page}: {self.text}"

    def commands(self) -> Iterator[list[str]]:
        """The simple commands of the line, also those whose output is put into others."""
        text = _FUNCTION.sub(r"\1", _PLACEHOLDER.sub("PLACEHOLDER", self.text))
        for line in (text, *_NESTED.findall(text)):
            yield from _simple(line)


def printed() -> list[Printed]:
    """Everything that the pages tell people to run."""
    return [line for page in PAGES for line in _of_page(page)]


def _of_page(page: Path) -> Iterator[Printed]:
    name, text = str(page.relative_to(ROOT)), page.read_text()
    for fence in _FENCE.finditer(text):
        if fence["language"] in ("", "sh"):
            for line in _lines(fence["body"]):
                yield Printed(name, line, whole=True)
    for code in _INLINE.findall(_FENCE.sub("", text)):
        line = " ".join(code.split())
        if _BEGINS.match(line):
            yield Printed(name, line, whole=False)


def _lines(body: str) -> Iterator[str]:
    """The block's commands, joined where one goes on; of a dialogue only what is typed."""
    dialogue = any(line.lstrip().startswith("$ ") for line in body.splitlines())
    unfinished = ""
    for line in body.splitlines():
        typed = line.strip()
        if not unfinished and dialogue and not typed.startswith("$ "):
            continue
        unfinished += typed.removeprefix("$ ")
        if unfinished.endswith("\\") or _is_open(unfinished):
            unfinished = unfinished.removesuffix("\\") + " "
        elif unfinished:
            yield unfinished
            unfinished = ""
    assert not unfinished, f"a command without its end: {unfinished}"


def _is_open(text: str) -> bool:
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return True
    return text.count("{") > text.count("}") and bool(_OPENED.match(text))


def _simple(line: str) -> Iterator[list[str]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="();|&")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if word not in _SEPARATORS:
            words.append(word)
            continue
        while words and (_ASSIGNMENT.match(words[0]) or words[0] in ("eval", "exec")):
            words.pop(0)
        if words and not words[0].startswith("$"):
            yield words
        words = []
