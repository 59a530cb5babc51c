"""What a person is told about a mistake in a catalog file: where it is and what was expected."""

from pathlib import Path

import pytest

from slipway.catalog_build.entries import read_catalog, read_entry
from slipway.catalog_build.mistakes import CatalogMistakes
from slipway.domain.catalog import Push

GOOD = """\
application: shop
environments:
  staging:
    push:
      repository: shop
      tags: ["v*"]
    target:
      cluster: shop-staging
      service: web
      container: web
"""


def told(text: str | bytes) -> list[str]:
    raw = text if isinstance(text, bytes) else text.encode()
    _, mistakes = read_entry(raw, "shop")
    return [mistake.as_error("shop.yaml") for mistake in mistakes]


def changed(old: str, new: str) -> list[str]:
    assert GOOD.count(old) == 1
    return told(GOOD.replace(old, new))


def added(lines: str) -> list[str]:
    """Lines of the environment `staging`, from line 11 on."""
    return told(GOOD + lines)


def test_a_good_file_is_read_without_a_word() -> None:
    entry, mistakes = read_entry(GOOD.encode(), "shop")

    assert mistakes == []
    assert entry is not None
    assert entry.environments["staging"].push == Push(repository="shop", tags=("v*",))


@pytest.mark.parametrize("text", [f"\ufeff{GOOD}", f"---\n{GOOD}...\n", GOOD.replace("\n", "\r\n")])
def test_byte_order_mark_document_marks_and_windows_line_ends_do_no_harm(text: str) -> None:
    assert told(text) == []


def test_a_wrong_choice_names_the_choices() -> None:
    assert added("    backup:\n      policy: sometimes\n") == [
        "shop.yaml:12:15: environments.staging.backup.policy: "
        "expected 'required', 'best_effort' or 'off', got 'sometimes'"
    ]


def test_a_wrong_entry_that_is_the_only_one_is_told_once() -> None:
    assert changed('"v*"', "1.0") == [
        "shop.yaml:6:14: environments.staging.push.tags[0]: "
        'expected text, got 1.0; quote it to make it text: "1.0"'
    ]


def test_off_is_the_policy_off_and_no_boolean() -> None:
    assert added("    backup:\n      policy: off\n") == []


def test_yes_is_text_and_no_boolean() -> None:
    assert added("    database: {identifier: shop, encrypted: yes}\n") == [
        "shop.yaml:11:45: environments.staging.database.encrypted: "
        "expected true or false, got 'yes'"
    ]


@pytest.mark.parametrize("written", ["1.0", "1.10", "7", "0x1F", "1e3", "true", "True"])
def test_a_version_that_yaml_takes_for_a_number_is_told_as_it_is_written(written: str) -> None:
    assert changed('"v*"', f"v*, {written}") == [
        "shop.yaml:6:18: environments.staging.push.tags[1]: "
        f'expected text, got {written}; quote it to make it text: "{written}"'
    ]


@pytest.mark.parametrize("written", ["1.2.3", "2026-01-31", "on", ".inf", "1_000", "12:30"])
def test_what_yaml_1_2_takes_for_text_stays_text(written: str) -> None:
    entry, _ = read_entry(GOOD.replace('"v*"', written).encode(), "shop")

    assert entry is not None
    assert entry.environments["staging"].push == Push(repository="shop", tags=(written,))


@pytest.mark.parametrize(
    ("written", "got"),
    [
        ("0", "0"),
        ("1441", "1441"),
        ("1.5", "1.5"),
        ("true", "true"),
        ("null", "null"),
        ('"60"', "'60'; remove the quotes to make it a number"),
        ("[]", "an empty list"),
        ("{a: 1}", "a mapping"),
        ("9" * 50, "9" * 37 + "..."),
    ],
)
def test_a_number_out_of_range_or_of_another_kind_names_the_range(written: str, got: str) -> None:
    (line,) = added(f"    backup:\n      timeout_minutes: {written}\n")

    assert line.partition(" expected ")[2] == f"a whole number from 1 to 1440, got {got}"
    assert line.startswith("shop.yaml:12:")


def test_a_missing_field_is_told_at_the_mapping_it_is_missing_from() -> None:
    assert changed("      service: web\n", "") == [
        "shop.yaml:7:5: environments.staging.target.service: "
        "missing; expected letters, digits, hyphens and underscores (1 to 255 characters)"
    ]


def test_a_field_missing_from_an_entry_of_a_list_is_told_there() -> None:
    lines = "    verification:\n      checks:\n        - path: /health\n        - status: 200\n"

    assert added(lines) == [
        "shop.yaml:14:11: environments.staging.verification.checks[1].path: "
        "missing; expected a path that begins with /"
    ]


def test_a_field_missing_from_the_file_is_told_at_its_first_line() -> None:
    assert told("# Nothing but a name.\napplication: shop\n") == [
        "shop.yaml:2:1: environments: missing; expected a mapping"
    ]


def test_an_unknown_field_is_told_with_the_one_that_was_meant() -> None:
    assert changed("container:", "contaner:") == [
        "shop.yaml:7:5: environments.staging.target.container: "
        "missing; expected letters, digits, hyphens and underscores (1 to 255 characters)",
        "shop.yaml:10:7: environments.staging.target.contaner: "
        "unknown field; did you mean 'container'?",
    ]


def test_an_unknown_field_like_no_other_is_told_with_all_that_are_known() -> None:
    assert changed("repository: shop", "repository: shop\n      xyz: 1") == [
        "shop.yaml:6:7: environments.staging.push.xyz: "
        "unknown field; expected one of repository, tags"
    ]


def test_a_bad_environment_name_is_told_at_the_name() -> None:
    assert changed("staging:", "Staging:") == [
        "shop.yaml:3:3: environments.Staging: "
        "expected a name of lower-case letters, digits and single hyphens (1 to 24 characters)"
    ]


def test_a_field_given_twice_names_both_lines() -> None:
    assert changed("      service: web\n", "      service: web\n      service: api\n") == [
        "shop.yaml:10:7: environments.staging.target.service: given twice; first on line 9"
    ]


def test_a_mapping_given_twice_is_passed_over_with_all_that_is_in_it() -> None:
    assert added("    push: {repository: [x, {y: z}]}\n    after: [a]\n") == [
        "shop.yaml:11:5: environments.staging.push: given twice; first on line 4",
        "shop.yaml:12:5: environments.staging.after: expected lower-case letters, digits and "
        "single hyphens (1 to 24 characters) or null, got a list",
    ]


def test_a_field_without_a_value_is_no_silent_null() -> None:
    # Taken for null, it would let production deploy without an approval.
    assert added("    approval:\n    gates:\n      scan:  # block_from: HIGH\n") == [
        "shop.yaml:11:5: environments.staging.approval: "
        "expected a value, got nothing (write null for no value)",
        "shop.yaml:13:7: environments.staging.gates.scan: expected a value, got nothing "
        "(text after # is a comment unless quoted; write null for no value)",
    ]


def test_null_that_is_written_out_is_accepted() -> None:
    assert added("    approval: null\n    gates: {scan: null}\n") == []


def test_a_rule_about_two_fields_is_told_at_the_first() -> None:
    strategy = "    strategy:\n      maximum_percent: 100\n      minimum_healthy_percent: 100\n"

    assert added(strategy) == [
        "shop.yaml:13:32: environments.staging.strategy: "
        "minimum_healthy_percent must be below maximum_percent"
    ]


def test_a_rule_about_an_environment_is_told_at_the_field() -> None:
    assert added("    after: stagin\n") == [
        "shop.yaml:11:12: environments.staging.after: no 'stagin' (known: staging)"
    ]
    assert added("    after: staging\n") == [
        "shop.yaml:11:12: environments.staging.after leads back to itself"
    ]
    assert added("    migration:\n      command: [migrate]\n") == [
        "shop.yaml:11:5: environments.staging: "
        "migration with backup.policy 'required' needs a database"
    ]


def test_an_environment_that_nothing_feeds_is_told_at_its_name() -> None:
    push = '    push:\n      repository: shop\n      tags: ["v*"]\n'

    assert changed(push, "") == [
        "shop.yaml:3:3: environments.staging: "
        "push is required unless 'after' names the environment before"
    ]


def test_a_downgrade_that_goes_nowhere_is_told_at_the_command() -> None:
    migration = "    database: {identifier: shop}\n    migration:\n      command: [up]\n"

    assert added(f"{migration}      downgrade: [down]\n") == [
        "shop.yaml:14:7: environments.staging.migration: "
        "downgrade must contain {schema}, the schema to downgrade to"
    ]


def test_text_that_says_nothing_is_told_as_it_is_written() -> None:
    assert changed('"v*"', '"v*", ""') == [
        "shop.yaml:6:20: environments.staging.push.tags[1]: expected text, got ''"
    ]
    assert added('    notifications: {slack_channel: " "}\n') == [
        "shop.yaml:11:36: environments.staging.notifications.slack_channel: "
        "expected text or null, got ' '"
    ]


def test_many_mistakes_are_told_at_once_from_top_to_bottom() -> None:
    text = GOOD.replace("cluster: shop-staging", "cluster: 7").replace("repository: shop", "x: y")

    assert [line.split(": ")[0:2] for line in told(text)] == [
        ["shop.yaml:4:5", "environments.staging.push.repository"],
        ["shop.yaml:5:7", "environments.staging.push.x"],
        ["shop.yaml:8:16", "environments.staging.target.cluster"],
    ]


def test_anchors_aliases_and_tags_are_refused_and_never_acted_on() -> None:
    lines = (
        "    database: &d {identifier: !!str shop}\n"
        "    gates: *d\n"
        "    after: !!python/object/apply:os.system [exit]\n"
    )

    found = added(lines)

    assert [line.partition("expected the value itself, got ")[2] for line in found] == [
        "the anchor &d",
        "the tag tag:yaml.org,2002:str",
        "the alias *d",
        "",
        "the tag tag:yaml.org,2002:python/object/apply:os.system",
    ]
    assert [line.split(":")[1] for line in found] == ["11", "11", "12", "13", "13"]


def test_a_message_stays_in_one_line_whatever_a_name_holds() -> None:
    assert changed("service: web", 'service: web\n      "a\\n\\e[2J": 1') == [
        "shop.yaml:10:7: environments.staging.target.a\\n\\x1b[2J: "
        "unknown field; expected one of kind, cluster, service, container"
    ]
    assert changed("cluster: shop-staging", "cluster: &\u2028 shop") == [
        "shop.yaml:8:16: environments.staging.target.cluster: "
        "expected the value itself, got the anchor &\\u2028"
    ]


def test_a_merge_key_is_no_way_around() -> None:
    assert added("    <<: {after: null}\n")[0].startswith(
        "shop.yaml:11:5: environments.staging.<<: unknown field"
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"", "shop.yaml:1:1: expected a mapping, got an empty file"),
        (b"# nothing\n", "shop.yaml:1:1: expected a mapping, got an empty file"),
        (b"- a\n", "shop.yaml:1:1: expected a mapping, got a list"),
        (b"\nshop\n", "shop.yaml:2:1: expected a mapping, got 'shop'"),
        (b"null\n", "shop.yaml:1:1: expected a mapping, got null"),
        (
            b"a: b: c\n",
            "shop.yaml:1:5: not valid YAML: unexpected colon; quote text that contains ': ', "
            "and indent the fields of a mapping equally",
        ),
        (b"a:\n\t- b\n", "shop.yaml:2:1: not valid YAML: indented with a tab; use spaces"),
        (
            b"a: 1\nb: 'c\n",
            "shop.yaml:3:1: not valid YAML: found unexpected end of stream "
            "while scanning a quoted scalar that begins on line 2",
        ),
        (
            b'a: "\\U00110000"\n',
            "shop.yaml:1:5: not valid YAML: no such Unicode character",
        ),
        (
            b'a: "\\U0010FFFF \\UFFFFFFFF"\n',
            "shop.yaml:1:16: not valid YAML: no such Unicode character",
        ),
        (b"a: 1\nb: \xff\n", "shop.yaml:2:4: expected UTF-8 text"),
        (b"a: 1\nb: \0\n", "shop.yaml:2:4: expected printable text, got the character U+0000"),
        (b"[" * 30, "shop.yaml:1:18: expected at most 16 levels, got more"),
    ],
)
def test_a_file_that_is_no_entry_is_told_in_one_line(text: bytes, line: str) -> None:
    assert told(text) == [line]


def test_a_second_document_and_a_directive_are_refused() -> None:
    assert told(f"{GOOD}---\na: 1\n") == ["shop.yaml:11:1: expected one document, got a second"]
    # With %YAML 1.1 a library would read `off` as false.
    assert told(f"%YAML 1.1\n---\n{GOOD}") == ["shop.yaml:1:1: expected no % directive"]


def test_a_name_that_is_no_text_is_refused() -> None:
    assert added("    ? [a, {b: c}]\n    : d\n") == [
        "shop.yaml:11:7: environments.staging: expected a name before the colon"
    ]


def test_half_a_character_is_refused() -> None:
    assert changed('"v*"', '"\\ud800"') == [
        "shop.yaml:6:14: environments.staging.push.tags[0]: expected text, got a lone surrogate"
    ]


def test_the_file_is_named_as_its_application(tmp_path: Path) -> None:
    (tmp_path / "store.yaml").write_text(GOOD)

    with pytest.raises(CatalogMistakes) as caught:
        read_catalog(tmp_path)

    assert caught.value.lines == [
        f"{tmp_path}/store.yaml:1:14: application: expected 'store', the name of the "
        "file, got 'shop'"
    ]


def test_every_file_of_the_directory_is_read_and_told(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text("a: [\n")
    (tmp_path / "cc.yml").write_text(GOOD.replace(": shop", ": cc"))
    (tmp_path / "d.yaml").mkdir()
    (tmp_path / "README.md").write_text("not an entry")
    (tmp_path / ".swap.yaml").write_text("not an entry")

    with pytest.raises(CatalogMistakes) as caught:
        read_catalog(tmp_path)

    assert [line.removeprefix(f"{tmp_path}/") for line in caught.value.lines] == [
        "b.yaml:2:1: not valid YAML: expected the node content, but found '<stream end>' "
        "while parsing a flow node that begins on line 2",
        "cc.yml:1:1: expected the file name cc.yaml, got cc.yml",
        "d.yaml:1:1: cannot be read: Is a directory",
    ]


def test_a_directory_without_an_entry_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogMistakes) as caught:
        read_catalog(tmp_path)
    assert caught.value.lines == [f"{tmp_path}: expected at least one <application>.yaml, got none"]

    with pytest.raises(CatalogMistakes) as caught:
        read_catalog(tmp_path / "missing")
    assert caught.value.lines == [f"{tmp_path}/missing: cannot be read: No such file or directory"]


def test_entries_are_kept_under_their_names(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(GOOD)
    api = GOOD.replace("application: shop", "application: api").replace("shop-staging", "api")
    (tmp_path / "api.yaml").write_text(api)

    catalog = read_catalog(tmp_path)

    assert list(catalog.applications) == ["api", "shop"]
    assert catalog.fed_by_push("shop", "v1") == [("api", "staging"), ("shop", "staging")]


def test_a_service_of_two_applications_is_told_in_the_second_ones_file(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(GOOD)
    copy = GOOD.replace("application: shop", "application: api").replace("    push", "\n    push")
    (tmp_path / "api.yaml").write_text(copy)

    with pytest.raises(CatalogMistakes) as caught:
        read_catalog(tmp_path)

    assert caught.value.lines == [
        f"{tmp_path}/shop.yaml:7:5: environments.staging.target: "
        "service 'web' in cluster 'shop-staging' is api/staging's already"
    ]
