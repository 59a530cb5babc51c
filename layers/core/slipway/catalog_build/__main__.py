"""`python -m slipway.catalog_build`: compile the catalog, or write its generated pages."""

import argparse
import json
import os
import sys
from contextlib import suppress
from pathlib import Path

from slipway.catalog_build.entries import check_catalog
from slipway.catalog_build.mistakes import CatalogMistakes
from slipway.catalog_build.pages import schema_page, with_fields
from slipway.domain.catalog import Application, Catalog
from slipway.runtime.catalog import FILE_NAME


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0, or 1 after printing what is wrong."""
    options = _options(arguments)
    try:
        _run(options)
    except CatalogMistakes as mistakes:
        print(mistakes, file=sys.stderr)
        return 1
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m slipway.catalog_build", description=__doc__)
    parser.add_argument("catalog", nargs="?", type=Path, help="directory of the YAML files")
    parser.add_argument("out", nargs="?", type=Path, help=f"directory to write {FILE_NAME} to")
    parser.add_argument("--schema", type=Path, help="file to write the JSON Schema for editors to")
    parser.add_argument("--docs", type=Path, help="page to write the table of fields into")
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
        _compile_catalog(options.catalog, options.out)


def _write_fields(page: Path) -> None:
    try:
        text = with_fields(page.read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogMistakes([f"{page}: cannot be read: {error.strerror}"]) from error
    except ValueError as error:
        raise CatalogMistakes([f"{page}: {error}"]) from error
    _write(page, text)


def _compile_catalog(directory: Path, out: Path) -> None:
    catalog, warnings = check_catalog(directory)
    _write(out / FILE_NAME, catalog_json(catalog))
    for warning in warnings:
        print(warning, file=sys.stderr)
    for application in catalog.applications.values():
        print(_summary(application))


def catalog_json(catalog: Catalog) -> str:
    """The catalog as compact JSON; the same catalog always gives the same bytes."""
    content = catalog.model_dump(mode="json")
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"


def _summary(application: Application) -> str:
    steps = (
        f"{name} (after {environment.after})" if environment.after else name
        for name, environment in application.environments.items()
    )
    return f"{application.application}: {', '.join(steps)}"


def _write(path: Path, text: str) -> None:
    """Replace the file atomically: a reader never sees a part of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise CatalogMistakes([f"{path}: cannot be written: {error.strerror}"]) from error


if __name__ == "__main__":
    sys.exit(main())
