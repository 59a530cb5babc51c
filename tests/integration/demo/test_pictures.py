"""`make pictures` takes pictures of parts of pages, and says what is missing."""

import shutil
import struct
from pathlib import Path

import pytest

from demo import pictures
from demo.browser import PROGRAMS, Browser, NoPicture

PAGE = """<!doctype html><style>body {margin: 0} p {margin: 0; width: 120px}</style>
<p style="height: 1500px">first</p><p style="height: 40px" id="x">wanted</p>
<p style="height: 70px">wanted too</p>"""


@pytest.fixture
def browser() -> Browser:
    if not any(map(shutil.which, PROGRAMS)):
        pytest.skip(f"none of {', '.join(PROGRAMS)} is installed")
    return Browser()


@pytest.fixture
def page(tmp_path: Path) -> str:
    file = tmp_path / "page.html"
    file.write_text(PAGE)
    return file.as_uri()


def size(file: Path) -> tuple[int, int]:
    """Width and height: https://www.w3.org/TR/png/#11IHDR."""
    found: tuple[int, int] = struct.unpack(">II", file.read_bytes()[16:24])
    return found


def test_the_last_element_with_the_text_is_on_the_picture_twice_as_sharp(
    browser: Browser, page: str, tmp_path: Path
) -> None:
    with browser:
        browser.picture(page, tmp_path / "two.png", 400, "p", "wanted")
        browser.picture(page, tmp_path / "one.png", 400, "#x", "wanted")

    assert size(tmp_path / "two.png") == (240, 140)
    assert size(tmp_path / "one.png") == (240, 80)


def test_a_page_without_it_is_no_picture(
    browser: Browser, page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.browser._PATIENCE_SECONDS", 0.5)

    with browser, pytest.raises(NoPicture, match=r"^No p with 'missing' was on the page in time"):
        browser.picture(page, tmp_path / "no.png", 400, "p", "missing")
    assert not (tmp_path / "no.png").exists()


def test_without_a_browser_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    assert pictures.main() == 1
    assert capsys.readouterr().err == (
        "No Chromium was found: `apt-get install chromium`, or put chromium or chromium-browser or "
        "google-chrome or google-chrome-stable on the PATH.\n"
    )
