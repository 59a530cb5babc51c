"""The command that compiles the catalog, what Lambda reads of it, and the generated pages."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from slipway.catalog_build.__main__ import main
from slipway.catalog_build.entries import read_catalog, read_entry
from slipway.catalog_build.expectations import PATTERNS, essence, schema
from slipway.catalog_build.pages import schema_page, with_fields
from slipway.domain.errors import Broken, Reason
from slipway.runtime.catalog import load_catalog

ROOT = Path(__file__).parents[2]
CATALOG = ROOT / "catalog"
ENTRY = """\
application: {name}
environments:
  staging:
    push: {{repository: shop, tags: ["v*"]}}
    target: {{cluster: "{name}", service: web, container: web}}
    gates: {{alarms: [é]}}
"""


@pytest.fixture
def entries(tmp_path: Path) -> Path:
    directory = tmp_path / "catalog"
    directory.mkdir()
    for name in ("shop", "api"):
        (directory / f"{name}.yaml").write_text(ENTRY.format(name=name), encoding="utf-8")
    return directory


def test_what_is_compiled_is_what_lambda_reads(entries: Path, tmp_path: Path) -> None:
    assert main([str(entries), str(tmp_path / "new" / "out")]) == 0

    compiled = tmp_path / "new" / "out" / "slipway_catalog.json"
    assert load_catalog(compiled) == read_catalog(entries)


def test_the_compiled_file_is_compact_sorted_and_alone(entries: Path, tmp_path: Path) -> None:
    main([str(entries), str(tmp_path / "out")])

    (compiled,) = (tmp_path / "out").iterdir()
    text = compiled.read_text(encoding="utf-8")
    again = json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert text == f"{again}\n"
    assert "é" in text


def test_one_line_is_printed_per_application(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(CATALOG), str(tmp_path)]) == 0

    assert capsys.readouterr().out == "fastapi-rds: staging, production (after staging)\n"


def test_mistakes_are_printed_and_the_old_file_stays(
    entries: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(entries), str(tmp_path)])
    before = (tmp_path / "slipway_catalog.json").read_bytes()
    capsys.readouterr()
    (entries / "shop.yaml").write_text("application: [\n")
    (entries / "api.yaml").write_text("application: api\n")

    assert main([str(entries), str(tmp_path)]) == 1

    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == (
        f"{entries}/api.yaml:1:1: environments: missing; expected a mapping\n"
        f"{entries}/shop.yaml:2:1: not valid YAML: expected the node content, "
        "but found '<stream end>' while parsing a flow node that begins on line 2\n"
    )
    assert (tmp_path / "slipway_catalog.json").read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["catalog", "slipway_catalog.json"]


def test_a_directory_that_cannot_be_written_is_one_sentence(
    entries: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")

    assert main([str(entries), str(tmp_path / "file")]) == 1

    file = f"{tmp_path}/file/slipway_catalog.json"
    assert capsys.readouterr().err == f"{file}: cannot be written: File exists\n"


def test_a_full_disk_leaves_the_old_file_as_it_was(entries: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    main([str(entries), str(out)])
    before = (out / "slipway_catalog.json").read_bytes()
    # A limit on the size of files stands for the full disk.
    program = (
        "import resource, sys; from slipway.catalog_build.__main__ import main; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)); sys.exit(main(sys.argv[1:]))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "layers" / "core")}

    ended = subprocess.run(
        [sys.executable, "-B", "-c", program, str(CATALOG), str(out)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    told = f"{out}/slipway_catalog.json: cannot be written: File too large\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", told)
    assert [(file.name, file.read_bytes()) for file in out.iterdir()] == [
        ("slipway_catalog.json", before)
    ]


@pytest.mark.parametrize("arguments", [[], ["catalog"]])
def test_too_few_arguments_are_told(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)

    assert caught.value.code == 2
    assert "expected CATALOG and OUT" in capsys.readouterr().err


def test_it_runs_as_a_module(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "slipway.catalog_build", str(tmp_path), str(tmp_path / "out")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "layers" / "core")}

    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"{tmp_path}: expected at least one <application>.yaml, got none\n"


def test_a_compiled_catalog_that_is_missing_is_broken(tmp_path: Path) -> None:
    with pytest.raises(Broken) as caught:
        load_catalog(tmp_path / "slipway_catalog.json")

    assert caught.value.reason is Reason.CATALOG_INVALID
    assert caught.value.message == (
        f"The compiled catalog {tmp_path}/slipway_catalog.json could not be read "
        "(No such file or directory). Build and deploy the catalog layer again."
    )


def test_a_compiled_catalog_of_another_version_is_broken(tmp_path: Path) -> None:
    file = tmp_path / "slipway_catalog.json"
    file.write_text('{"applications":{},"regions":[]}')

    with pytest.raises(Broken) as caught:
        load_catalog(file)

    assert caught.value.message == (
        f"The compiled catalog {file} is not valid for this version of Slipway (regions: "
        "Extra inputs are not permitted). Build and deploy the catalog layer again."
    )


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"applications":{"a":1}}'])
def test_a_damaged_compiled_catalog_is_broken(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "slipway_catalog.json"
    file.write_bytes(content)

    with pytest.raises(Broken, match="is not valid for this version of Slipway") as caught:
        load_catalog(file)
    assert caught.value.reason is Reason.CATALOG_INVALID


def test_lambda_needs_no_yaml_library() -> None:
    program = (
        "import sys; sys.modules['ruamel'] = None; import slipway.runtime.catalog; "
        "assert not [name for name in sys.modules if name.startswith('slipway.catalog_build')]"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "layers" / "core")}

    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


def test_the_committed_schema_is_the_models_schema() -> None:
    assert (ROOT / "docs" / "catalog.schema.json").read_text(encoding="utf-8") == schema_page(), (
        "run `python -m slipway.catalog_build --schema docs/catalog.schema.json`"
    )


def test_the_committed_table_of_fields_is_the_models() -> None:
    page = (ROOT / "docs" / "catalog.md").read_text(encoding="utf-8")

    assert with_fields(page) == page, "run `python -m slipway.catalog_build --docs docs/catalog.md`"


def test_the_pages_are_written_by_the_command(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "catalog.md").read_text(encoding="utf-8")
    stale = tmp_path / "catalog.md"
    stale.write_text(re.sub(r"\| `push\.tags`.*\n", "", page), encoding="utf-8")

    ended = main(["--docs", str(stale), "--schema", str(tmp_path / "catalog.schema.json")])

    assert ended == 0
    assert stale.read_text(encoding="utf-8") == page
    assert (tmp_path / "catalog.schema.json").read_text(encoding="utf-8") == schema_page()


def test_a_page_that_does_not_exist_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--docs", str(tmp_path / "page.md")]) == 1

    told = f"{tmp_path}/page.md: cannot be read: No such file or directory\n"
    assert capsys.readouterr().err == told


def test_a_page_without_the_marks_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Nothing to fill in\n")

    assert main(["--docs", str(page)]) == 1

    assert capsys.readouterr().err.startswith(f"{page}: expected a line <!-- fields")
    assert page.read_text() == "# Nothing to fill in\n"


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for inner in node.values():
            yield from nodes(inner)
    if isinstance(node, list):
        for inner in node:
            yield from nodes(inner)


def test_every_pattern_has_words() -> None:
    used = {node["pattern"] for node in nodes(schema()) if isinstance(node.get("pattern"), str)}

    assert used <= PATTERNS.keys()


def test_every_field_has_a_description() -> None:
    mappings = [schema(), *schema()["$defs"].values()]
    silent = [
        (mapping["title"], name)
        for mapping in mappings
        for name, node in mapping.get("properties", {}).items()
        if not essence(node).get("description")
    ]

    assert silent == []


def test_the_page_tells_what_the_command_tells() -> None:
    page = (ROOT / "docs" / "catalog.md").read_text(encoding="utf-8")
    example = page.partition("```yaml\n")[2].partition("```")[0]
    assert read_entry(example.encode(), "shop")[1] == []

    wrong = example.replace('["v*"]', '[1.0, "v*"]').replace("container:", "contaner:")
    _, mistakes = read_entry(wrong.encode(), "shop")

    told = [mistake.as_error("catalog/shop.yaml") for mistake in mistakes]
    shown = page.partition("tells every mistake at once:\n\n```text\n")[2].partition("\n```")[0]
    assert shown.splitlines() == told


def test_every_entry_names_the_schema_for_editors() -> None:
    for file in CATALOG.glob("*.yaml"):
        first, _, _ = file.read_text(encoding="utf-8").partition("\n")
        assert first == "# yaml-language-server: $schema=../docs/catalog.schema.json"


def test_production_of_the_example_asks_for_more_than_staging() -> None:
    environments = read_catalog(CATALOG).applications["fastapi-rds"].environments
    staging, production = environments["staging"], environments["production"]

    assert production.after == "staging"
    assert staging.approval is None
    assert production.approval is not None
    assert production.approval.approvers == ("ada", "grace")
    assert (staging.backup.policy, production.backup.policy) == ("best_effort", "required")
    assert production.migration is not None
    assert production.migration.downgrade == ("alembic", "downgrade", "{schema}")
    assert [check.path for check in production.verification.checks] == ["/health", "/health/db"]
    assert production.verification.alarms == production.gates.alarms != ()
    assert production.verification.base_url is None
