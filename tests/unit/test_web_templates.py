"""Templates compiled at build give the same pages as the ones they were compiled from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from slipway.adapters.databases import RestoresByKind
from slipway.adapters.links import Links
from slipway.web import pages, rendering
from tests.builders.stories import ASKED, ID, KEY, stored


@pytest.fixture
def _fresh() -> Iterator[None]:
    rendering._environment.cache_clear()
    yield
    rendering._environment.cache_clear()


def shown() -> list[str]:
    records, links = stored(), Links("", KEY)
    asked, found = records.approval(ID), records.deployment(ID)
    assert asked is not None
    evidence = records.evidence(ID)
    lanes = [pages.LaneView(records.lane("fastapi-rds", "production"), [found])]
    return [
        pages.approval_page(
            asked, found, evidence, sig="0" * 64, closed="", links=links, now=ASKED
        ),
        pages.decided_page(asked, links),
        pages.deployment_page(found, evidence, restores=RestoresByKind(), links=links, now=ASKED),
        pages.status_page([pages.ApplicationView("fastapi-rds", lanes)], links=links, now=ASKED),
        pages.sentence_page("Too late", "It is over.", "Nothing was changed."),
    ]


@pytest.mark.usefixtures("_fresh")
def test_compiled_templates_show_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = shown()
    compiled = tmp_path / "compiled"

    rendering.compile_templates(compiled)
    monkeypatch.setattr(rendering, "_COMPILED", compiled)
    rendering._environment.cache_clear()

    assert shown() == expected
    sources = sorted(path.name for path in rendering._TEMPLATES.glob("*.html"))
    assert len(list(compiled.glob("tmpl_*.py"))) == len(sources)
