"""`python -m slipway.catalog_build`: compile the catalog, or write its generated pages."""

import argparse
import json
import os
import sys
from contextlib import suppress
from pathlib import Path

from slipway.catalog_build.entries import checked_catalog
from slipway.catalog_build.mistakes import CatalogMistakes
from slipway.catalog_build.pages import schema_page, with_fields
from slipway.domain.catalog import Application, Catalog
from slipway.runtime.catalog import FILE_NAME


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0, or 1 after telling what is wrong."""
    options = _options(arguments)
    try:
        _run(options)
    except CatalogMistakes as mistakes:
        print(mistakes, file=sys.stderr)
        return 1
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m slipway.catalog_build", description=__doc__)
    parser.add_argument("catalog", nargs="?", type=Path, help="the directory of the YAML files")
    parser.add_argument("out", nargs="?", type=Path, help=f"the directory to write {FILE_NAME} to")
    parser.add_argument("--schema", type=Path, help="write the JSON Schema for editors here")
    parser.add_argument("--docs", type=Path, help="write the table of fields into this page")
    options = parser.parse_args(arguments)
    if (options.catalog is None) != (options.out is None):
        parser.error("expected CATALOG and OUT, got only one directory")
    if not (options.out or options.schema or options.docs):
        parser.error("expected CATALOG and OUT, --schema or --docs")
    return options


def _run(options: argparse.Namespace) -> None:
    if options.schema:
        _write(options.schema, schema_page())
    if options.docs:
        _write_fields(options.docs)
    if options.out:
        _compile(options.catalog, options.out)


def _write_fields(page: Path) -> None:
    try:
        text = with_fields(page.read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogMistakes([f"{page}: cannot be read: {error.strerror}"]) from error
    except ValueError as error:
        raise CatalogMistakes([f"{page}: {error}"]) from error
    _write(page, text)


def _compile(directory: Path, out: Path) -> None:
    catalog, warnings = checked_catalog(directory)
    _write(out / FILE_NAME, compiled(catalog))
    for warning in warnings:
        print(warning, file=sys.stderr)
    for application in catalog.applications.values():
        print(_told(application))


def compiled(catalog: Catalog) -> str:
    """The catalog as compact JSON; the same catalog always gives the same bytes."""
    content = catalog.model_dump(mode="json")
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"


def _told(application: Application) -> str:
    steps = (
        f"{name} (after {environment.after})" if environment.after else name
        for name, environment in application.environments.items()
    )
    return f"{application.application}: {', '.join(steps)}"


def _write(path: Path, text: str) -> None:
    """Replace the file as a whole: a reader sees the old one or the new one, never a part."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink()
        raise CatalogMistakes([f"{path}: cannot be written: {error.strerror}"]) from error


if __name__ == "__main__":
    sys.exit(main())
