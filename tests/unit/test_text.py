"""Text of others is cut, in one line, and moves no cursor."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slipway.domain.text import cut, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2.0.0", "2.0.0"),
        ("two\nlines\tand  more ", "two lines and more"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b[38;5;208morange", "orange"),
        ("bell\x07 nul\x00", "bell\\x07 nul\\x00"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("zero\u200bwidth", "zero\\u200bwidth"),
        ("line\u2028separator", "line separator"),
        ("\ud800", "\\ud800"),
        ("Grüße 日本", "Grüße 日本"),
    ],
)
def test_text_is_shown_in_one_printable_line(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(st.text(), st.integers(2, 50))
def test_a_line_is_printable_and_bounded_whatever_comes(text: str, most: int) -> None:
    line = plain(text, most)

    assert line.isprintable()
    assert len(line) <= most


def test_cut_text_shows_that_something_is_missing() -> None:
    assert (cut("abcdef", 4), cut("abcd", 4)) == ("abc…", "abcd")


def test_a_megabyte_costs_what_a_line_costs() -> None:
    began = time.process_time()
    plain("\x1b[" * 500_000)

    assert time.process_time() - began < 0.5
