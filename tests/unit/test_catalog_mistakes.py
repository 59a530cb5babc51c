"""Mistakes that a catalog can hold though each of its fields is well formed, told in one run."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from slipway.catalog_build.__main__ import main
from slipway.catalog_build.entries import check_catalog, read_catalog, read_entry
from slipway.catalog_build.lookalikes import outline
from slipway.catalog_build.mistakes import CatalogMistakes
from slipway.catalog_build.pages import schema_page
from slipway.catalog_build.rules import CHARACTERS, MOST_BYTES
from slipway.domain.catalog import Environment
from slipway.domain.strategy import BlueGreen
from slipway.requests.decide import DecideRequest

HEAD = """\
application: shop
environments:
  staging:
    push: {repository: shop, tags: ["v*"]}
    target: {cluster: shop, service: web, container: web}
"""
CHECKED = "    verification: {checks: [{path: /health, version_field: version}]}\n"
HERE = "environments.staging"


def told(text: str, name: str = "shop") -> list[str]:
    return [one.as_error(f"{name}.yaml") for one in read_entry(text.encode(), name)[1]]


def added(lines: str) -> list[str]:
    """Lines of the environment `staging`, from line 6 on."""
    return told(HEAD + lines)


def sentences(lines: list[str]) -> list[str]:
    return [line.partition(": ")[2] for line in lines]


# -------------------------------------------------------------------- a repository's name
@pytest.mark.parametrize(
    "written",
    [
        "000000000000.dkr.ecr.us-east-1.amazonaws.com/parcels",
        "000000000000.dkr.ecr.cn-north-1.amazonaws.com.cn/parcels",
        "000000000000.dkr.ecr-fips.us-gov-west-1.amazonaws.com/parcels",
        "000000000000.dkr-ecr.eu-west-1.on.aws/parcels",
    ],
)
def test_a_registry_before_a_repositorys_name_is_refused_with_the_name(written: str) -> None:
    assert told(HEAD.replace("repository: shop", f"repository: {written}")) == [
        f"shop.yaml:4:24: {HERE}.push.repository: expected the repository's name without its "
        f"registry, got '{written}'; did you mean 'parcels'?"
    ]


@pytest.mark.parametrize(
    "written",
    [
        '"parcels:latest"',
        "https://parcels",
        '"https://000000000000.dkr.ecr.us-east-1.amazonaws.com/parcels:v1"',
        '"000000000000.dkr.ecr.us-east-1.amazonaws.com/parcels@sha256:0123"',
        "Parcels",
        "parcels/",
        "/parcels",
        '" parcels"',
        '"localhost:5000/parcels"',
        '"arn:aws:ecr:us-east-1:000000000000:repository/parcels"',
    ],
)
def test_other_ways_to_write_a_repository_are_refused_with_the_name(written: str) -> None:
    (line,) = told(HEAD.replace("repository: shop", f"repository: {written}"))

    assert line.startswith(f"shop.yaml:4:24: {HERE}.push.repository: expected lower-case letters")
    assert line.endswith("; did you mean 'parcels'?")


def test_a_repository_in_a_namespace_keeps_it() -> None:
    (line,) = told(HEAD.replace("repository: shop", 'repository: "Team/Parcels:v1"'))

    assert line.endswith("; did you mean 'team/parcels'?")


@pytest.mark.parametrize("name", ["parcels", "team/parcels", "team.web/parcels-1", "a_b/c__d"])
def test_a_name_that_ecr_takes_is_taken(name: str) -> None:
    assert told(HEAD.replace("repository: shop", f"repository: {name}")) == []


@pytest.mark.parametrize(
    ("lines", "field", "meant"),
    [
        ('target: {cluster: "arn:aws:ecs:x:1:cluster/web"}', "target.cluster", "web"),
        ('target: {service: "arn:aws:ecs:x:1:service/shop/web"}', "target.service", "web"),
        ("target: {service: shop/web}", "target.service", "web"),
        ('database: {identifier: "arn:aws:rds:x:1:db:web"}', "database.identifier", "web"),
        ("database: {identifier: web.a.eu-west-1.rds.amazonaws.com}", "database.identifier", "web"),
        (
            "verification: {base_url: https://shop.example.com/}",
            "verification.base_url",
            "https://shop.example.com",
        ),
        (
            "verification: {base_url: shop.example.com/api}",
            "verification.base_url",
            "https://shop.example.com",
        ),
        (
            "verification: {base_url: https://shop.example.com/api?x=1}",
            "verification.base_url",
            "https://shop.example.com",
        ),
    ],
)
def test_an_arn_or_an_address_in_the_place_of_a_name_is_told_with_the_name(
    lines: str, field: str, meant: str
) -> None:
    field = f"{HERE}.{field}: expected"
    head = HEAD.rpartition("    target:")[0] if lines.startswith("target") else HEAD
    (line,) = [one for one in sentences(told(f"{head}    {lines}\n")) if one.startswith(field)]

    assert line.endswith(f"; did you mean '{meant}'?")


def test_an_alarms_arn_is_refused_with_the_alarms_name() -> None:
    assert added('    gates: {alarms: ["arn:aws:cloudwatch:x:1:alarm:shop-5xx"]}\n') == [
        f"shop.yaml:6:22: {HERE}.gates.alarms[0]: expected an alarm's name, got its ARN; "
        "did you mean 'shop-5xx'?"
    ]


# ----------------------------------------------------------------------------- approvers
def approvers(*names: str) -> list[str]:
    return sentences(added(f"    approval: {{approvers: {json.dumps(names)}}}\n"))


def test_an_approver_given_twice_is_refused() -> None:
    assert approvers("ada", "grace", "ada") == [
        f"{HERE}.approval.approvers[2]: given twice; first on line 6"
    ]


@pytest.mark.parametrize(
    "twin", ["Ada", "ADA", "\uff41da", "\u0430d\u0430", "\u0430\u0501\u0430", "\u03b1da"]
)
def test_two_approvers_that_look_alike_are_refused(twin: str) -> None:
    assert (
        f"{HERE}.approval.approvers[1]: looks like 'ada' on line 6; nobody could tell the two "
        in ("".join(approvers("ada", twin)))
    )


@pytest.mark.parametrize("twin", ["grace", "adam", "ad", "\u0410\u043d\u043d\u0430", "eve 2"])
def test_approvers_that_differ_are_accepted(twin: str) -> None:
    assert approvers("ada", twin) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (" ada", "without extra spaces; did you mean 'ada'?"),
        ("ada ", "without extra spaces; did you mean 'ada'?"),
        ("ada  l", "without extra spaces; did you mean 'ada l'?"),
        ("ada\u00a0l", "got an invisible one"),
        ("ada\nl", "got an invisible one"),
        ("a\u202eda", "got an invisible one"),
        ("a\u200bda", "got an invisible one"),
        ("a" * 101, "expected at most 100 characters, got 101"),
        ("\u0430da", "mixes Latin and Cyrillic letters in '\u0430da'"),
        ("\u03bfla", "mixes Latin and Greek letters in '\u03bfla'"),
    ],
)
def test_a_name_that_no_page_could_offer_is_refused(name: str, expected: str) -> None:
    (line,) = approvers(name)

    assert expected in line


def test_a_catalog_names_no_approver_that_the_form_would_refuse() -> None:
    longest = "a" * CHARACTERS["approvers"]
    by = TypeAdapter(DecideRequest.model_fields["by"].rebuild_annotation())

    assert approvers(longest) == []
    assert by.validate_python(longest) == longest
    with pytest.raises(ValidationError):
        by.validate_python(f"{longest}a")


@settings(max_examples=300, deadline=None, database=None, derandomize=True)
@given(st.text(max_size=12))
def test_an_outline_is_its_own_outline(name: str) -> None:
    assert outline(outline(name)) == outline(name)


# ------------------------------------------------------------------------------- twice in a list
@pytest.mark.parametrize(
    ("lines", "field"),
    [
        ("gates: {alarms: [a, b, a]}", "gates.alarms[2]"),
        ("verification: {alarms: [a, a]}", "verification.alarms[1]"),
        ("verification: {checks: [{path: /a}, {path: /a}]}", "verification.checks[1]"),
    ],
)
def test_an_entry_that_stands_twice_in_a_list_is_refused(lines: str, field: str) -> None:
    assert sentences(added(f"    {lines}\n")) == [f"{HERE}.{field}: given twice; first on line 6"]


def test_a_tag_that_stands_twice_is_refused_and_a_word_of_a_command_is_not() -> None:
    assert sentences(told(HEAD.replace('["v*"]', '["v*", "v*"]'))) == [
        f"{HERE}.push.tags[1]: given twice; first on line 4"
    ]
    database = "    database: {identifier: shop}\n"
    assert added(f"{database}    migration: {{command: [run, -v, -v]}}\n") == []


def test_two_checks_that_no_answer_can_meet_are_refused() -> None:
    checks = "    verification: {checks: [{path: /a}, {path: /b}, {path: /a, status: 204}]}\n"

    assert added(checks) == [
        f"shop.yaml:6:53: {HERE}.verification.checks[2]: expects status 204 of '/a', but the "
        "check on line 6 expects 200; no answer is both"
    ]


def test_two_checks_of_one_path_may_look_for_different_texts() -> None:
    two = "{path: /a, contains: x, version_field: v}, {path: /a, contains: y}"

    assert added(f"    verification: {{checks: [{two}]}}\n") == []


# -------------------------------------------------------------------------------------- bounds
@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ({"gates": {"alarms": ["a" * 256]}}, "at most 255 characters, got 256"),
        ({"gates": {"alarms": [f"a{i}" for i in range(51)]}}, "at most 50 entries, got 51"),
        ({"migration": {"command": ["x" * 1001]}}, "at most 1000 characters, got 1001"),
        ({"migration": {"command": ["x"] * 51}}, "at most 50 entries, got 51"),
        ({"push": {"repository": "shop", "tags": ["v" * 301]}}, "at most 300 characters, got 301"),
        (
            {"verification": {"checks": [{"path": f"/{i}"} for i in range(21)]}},
            "at most 20 entries, got 21",
        ),
        ({"approval": {"approvers": [f"n{i}x" for i in range(51)]}}, "at most 50 entries, got 51"),
        ({"notifications": {"slack_channel": "c" * 81}}, "at most 80 characters, got 81"),
    ],
)
def test_texts_and_lists_have_bounds(lines: dict[str, Any], expected: str) -> None:
    (line,) = sentences(told(json.dumps(entry(**{"database": {"identifier": "shop"}, **lines}))))

    assert line.partition("expected ")[2] == expected


def entry(**settings_of_staging: Any) -> dict[str, Any]:
    target = {"cluster": "shop", "service": "web", "container": "web"}
    push = {"repository": "shop", "tags": ["v*"]}
    return {
        "application": "shop",
        "environments": {"staging": {"target": target, "push": push, **settings_of_staging}},
    }


def test_an_environment_that_is_too_large_in_all_is_refused() -> None:
    words = ["x" * 1000] * 20
    found = sentences(
        told(
            json.dumps(
                entry(database={"identifier": "shop"}, migration={"command": words}), indent=1
            )
        )
    )

    assert len(found) == 1
    assert found[0].endswith(
        f"expected at most {MOST_BYTES}: shorten the commands or lists of 'staging'"
    )


TEXTS = st.text(max_size=1200)


@settings(max_examples=100, deadline=None, database=None, derandomize=True)
@given(
    st.fixed_dictionaries(
        {
            "migration": st.fixed_dictionaries({"command": st.lists(TEXTS, max_size=60)}),
            "gates": st.fixed_dictionaries({"alarms": st.lists(TEXTS, max_size=60)}),
            "backup": st.just({"policy": "off"}),
        }
    )
)
def test_no_environment_that_is_accepted_is_larger_than_it_may_be(given: dict[str, Any]) -> None:
    accepted, _ = read_entry(json.dumps(entry(**given)).encode(), "shop")

    if accepted:
        (environment,) = accepted.environments.values()
        assert len(environment.model_dump_json().encode()) <= MOST_BYTES


def test_the_editors_schema_bounds_every_text_and_list() -> None:
    def unbounded(node: Any) -> bool:
        if isinstance(node, list):
            return any(unbounded(one) for one in node)
        if not isinstance(node, dict):
            return False
        free = {"enum", "const"} & node.keys()
        if node.get("type") == "string" and not free and "maxLength" not in node:
            return True
        if node.get("type") == "array" and "maxItems" not in node:
            return True
        return any(unbounded(one) for name, one in node.items() if name != "default")

    assert not unbounded(json.loads(schema_page()))


def test_a_plan_that_was_stored_with_more_than_a_catalog_may_hold_now_still_loads() -> None:
    approvers = {"approvers": ["ada", "ada", " bob"]}
    stored = entry(approval=approvers, gates={"alarms": ["a"] * 60})["environments"]["staging"]

    assert Environment.model_validate(stored).gates.alarms == ("a",) * 60


# ------------------------------------------------------------------------- everything at once
def test_rules_about_fields_are_told_beside_fields_that_are_wrong() -> None:
    lines = """\
    backup: {policy: required, timeout_minutes: 0}
    migration: {command: [up], downgrade: [down], timeout_minutes: 0}
    strategy: {minimum_healthy_percent: 100, maximum_percent: 100, timeout_minutes: 0}
  production:
    after: stagin
    target: {cluster: shop}
  loop:
    after: loop
    target: 7
  alone:
    target: {cluster: shop, service: api, container: web, extra: 1}
"""

    assert [(line.split(":")[1], line.split(": ")[1]) for line in added(lines)] == [
        ("6", f"{HERE}.backup.timeout_minutes"),
        ("7", HERE),
        ("7", f"{HERE}.migration"),
        ("7", f"{HERE}.migration.timeout_minutes"),
        ("8", f"{HERE}.strategy"),
        ("8", f"{HERE}.strategy.timeout_minutes"),
        ("10", "environments.production.after"),
        ("11", "environments.production.target.container"),
        ("11", "environments.production.target.service"),
        ("13", "environments.loop.after leads back to itself"),
        ("14", "environments.loop.target"),
        ("15", "environments.alone"),
        ("16", "environments.alone.target.extra"),
    ]


def test_a_rule_whose_field_cannot_be_read_says_nothing() -> None:
    # Whether it follows staging cannot be known, so nobody is told that a push is missing.
    lines = "  production:\n    after: 7\n    target: {cluster: a, service: b, container: c}\n"

    assert [line.split(":")[1] for line in added(lines)] == ["7"]
    assert sentences(added("    migration: {command: [up]}\n    backup: {policy: never}\n")) == [
        f"{HERE}.backup.policy: expected 'required', 'best_effort' or 'off', got 'never'"
    ]


def test_two_circles_are_both_told() -> None:
    lines = "".join(
        f"  {name}:\n    after: {after}\n"
        f"    target: {{cluster: {name}, service: s, container: c}}\n"
        for name, after in [("a", "b"), ("b", "a"), ("c", "d"), ("d", "c")]
    )

    assert sentences(added(lines)) == [
        "environments.a.after leads back to itself",
        "environments.c.after leads back to itself",
    ]


def written(directory: Path, **files: str) -> list[str]:
    for name, text in files.items():
        (directory / f"{name}.yaml").write_text(text)
    with pytest.raises(CatalogMistakes) as caught:
        read_catalog(directory)
    return [line.removeprefix(f"{directory}/") for line in caught.value.lines]


def test_rules_about_several_files_are_told_beside_mistakes_in_them(tmp_path: Path) -> None:
    api = HEAD.replace("application: shop", "application: api")
    broken = HEAD + "    backup: {timeout_minutes: 0}\n"

    assert written(tmp_path, api=api, shop=broken, zoo=HEAD.replace(": shop\n", ": zoo\n")) == [
        "shop.yaml:5:5: environments.staging.target: "
        "service 'web' in cluster 'shop' is api/staging's already",
        "shop.yaml:6:31: environments.staging.backup.timeout_minutes: "
        "expected a whole number from 1 to 1440, got 0",
        "zoo.yaml:5:5: environments.staging.target: "
        "service 'web' in cluster 'shop' is api/staging's already",
    ]


def test_an_environment_that_cannot_be_read_does_not_hide_the_others(tmp_path: Path) -> None:
    api = HEAD.replace("application: shop", "application: api")
    unread = "environments:\n  first:\n    target: 7\n  staging:\n"

    assert [
        line.split(": ")[1]
        for line in written(
            tmp_path, api=api, shop=HEAD.replace("environments:\n  staging:\n", unread)
        )
    ] == [
        "environments.first",
        "environments.first.target",
        "environments.staging.target",
    ]


def test_lanes_that_would_share_ids_are_told_though_a_field_is_wrong(tmp_path: Path) -> None:
    shop = HEAD.replace("staging:", "api-staging:").replace("cluster: shop", "cluster: 7")
    other = HEAD.replace("application: shop", "application: shop-api")

    assert [
        line.split(": ")[:2] for line in written(tmp_path, **{"shop": shop, "shop-api": other})
    ] == [
        ["shop.yaml:3:3", "environments.api-staging"],
        ["shop.yaml:5:23", "environments.api-staging.target.cluster"],
    ]


# ------------------------------------------------------------------------------------ warnings
def warned(directory: Path, text: str) -> list[str]:
    (directory / "shop.yaml").write_text(text)
    _, lines = check_catalog(directory)
    return [line.removeprefix(f"{directory}/") for line in lines]


def test_an_entry_that_asks_for_enough_is_compiled_without_a_word(tmp_path: Path) -> None:
    assert warned(tmp_path, HEAD + CHECKED) == []


def test_an_environment_without_a_check_is_a_warning(tmp_path: Path) -> None:
    assert warned(tmp_path, HEAD) == [
        f"shop.yaml:3:3: warning: {HERE}.verification.checks: none, so a release counts as healthy "
        "once ECS and its load balancer say so; add a check of what users need"
    ]


@pytest.mark.parametrize(
    ("channel", "meant"),
    [("deployments", "#deployments"), ("Team Deployments", "#team-deployments")],
)
def test_a_channel_without_its_sign_is_a_warning(tmp_path: Path, channel: str, meant: str) -> None:
    lines = f"    notifications: {{slack_channel: {channel}}}\n"

    assert warned(tmp_path, HEAD + CHECKED + lines) == [
        f"shop.yaml:7:36: warning: {HERE}.notifications.slack_channel: expected '#' and a name, or "
        f"a channel ID such as C0123456789, got '{channel}'; did you mean '{meant}'?"
    ]


@pytest.mark.parametrize("channel", ['"#deployments"', "C0123456789", "null"])
def test_a_channel_as_slack_names_it_is_none(tmp_path: Path, channel: str) -> None:
    lines = f"    notifications: {{slack_channel: {channel}}}\n"

    assert warned(tmp_path, HEAD + CHECKED + lines) == []


@pytest.mark.parametrize("glob", ["*", "**", "latest", "l*", "main", "[a-z]*", "?*"])
def test_a_tag_that_moves_is_a_warning(tmp_path: Path, glob: str) -> None:
    (line,) = warned(tmp_path, HEAD.replace('"v*"', f'"v*", "{glob}"') + CHECKED)

    assert line.startswith(f"shop.yaml:4:43: warning: {HERE}.push.tags[1]: '{glob}' matches '")


@pytest.mark.parametrize("glob", ["v*", "release-*", "[0-9]*", "*.*.*"])
def test_the_tags_of_releases_are_none(tmp_path: Path, glob: str) -> None:
    assert warned(tmp_path, HEAD.replace("v*", glob) + CHECKED) == []


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            "    verification: {checks: [{path: /}]}\n",
            "verification.checks: none has a version_field, so an old task's answer counts for the "
            "new release",
        ),
        (
            "    verification: {alarms: [a], checks: [{path: /, version_field: v}]}\n",
            "verification.alarms: checked only once, because bake_seconds is 0; an alarm needs "
            "its evaluation periods to fire",
        ),
        (
            f"    backup: {{policy: 'off'}}\n    migration: {{command: [up]}}\n{CHECKED}",
            "migration: cannot be undone: there is no downgrade, and backup.policy requires no "
            "snapshot",
        ),
    ],
)
def test_what_is_rarely_meant_is_a_warning(tmp_path: Path, lines: str, expected: str) -> None:
    assert sentences(warned(tmp_path, HEAD + lines)) == [f"warning: {HERE}.{expected}"]


def test_a_repository_like_another_registrys_is_a_warning(tmp_path: Path) -> None:
    (line,) = warned(tmp_path, HEAD.replace("repository: shop", "repository: ghcr.io/a") + CHECKED)

    assert line.startswith(f"shop.yaml:4:24: warning: {HERE}.push.repository: 'ghcr.io/a' begins")


def test_warnings_are_printed_and_the_catalog_is_compiled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "shop.yaml").write_text(HEAD)

    assert main([str(tmp_path), str(tmp_path / "out")]) == 0

    printed = capsys.readouterr()
    assert printed.out == "shop: staging\n"
    assert printed.err.startswith(f"{tmp_path}/shop.yaml:3:3: warning: {HERE}.verification.checks")
    assert (tmp_path / "out" / "slipway_catalog.json").exists()


def test_the_example_is_compiled_without_a_warning() -> None:
    assert check_catalog(Path(__file__).parents[2] / "catalog")[1] == []


@pytest.mark.parametrize(
    "wrong",
    [
        "environments: []",
        "environments: {staging: []}",
        "environments: {staging: {verification: {checks: {a: b}}}}",
        "environments: {staging: {verification: [1], gates: [], approval: {approvers: {a: b}}}}",
        "environments: {staging: {after: [x], push: 1, target: null, migration: {command: up}}}",
        "environments: {staging: {push: {repository: [a], tags: {a: 1}}, strategy: rolling}}",
    ],
)
def test_any_shape_in_any_place_is_told_and_hides_nothing_of_the_other_file(
    tmp_path: Path, wrong: str
) -> None:
    lines = written(tmp_path, shop=f"application: shop\n{wrong}\n", zoo="application: 7\n")

    assert {line.partition(":")[0] for line in lines} == {"shop.yaml", "zoo.yaml"}


# -------------------------------------------------------------------------------- kinds
DATABASES = "'rds_instance' or 'aurora_cluster'"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("database: {identifier: shop}", []),
        ("database: {kind: rds_instance, identifier: shop}", []),
        ("database: {kind: aurora_cluster, identifier: shop}", []),
        (
            "database: {kind: aurora_clutser, identifier: shop}",
            [
                f"shop.yaml:6:22: environments.staging.database.kind: expected {DATABASES}, "
                "got 'aurora_clutser'; did you mean 'aurora_cluster'?"
            ],
        ),
        (
            "database: {kind: 7, identifier: shop}",
            [f"shop.yaml:6:22: environments.staging.database.kind: expected {DATABASES}, got 7"],
        ),
        (
            "database: {kind: null, identifier: shop}",
            [f"shop.yaml:6:22: environments.staging.database.kind: expected {DATABASES}, got null"],
        ),
        (
            "database: {kind: [aurora_cluster], identifier: shop}",
            [
                f"shop.yaml:6:16: environments.staging.database.kind: expected {DATABASES}, "
                "got a list"
            ],
        ),
        (
            "database: shop",
            [
                "shop.yaml:6:15: environments.staging.database: expected a mapping or null, "
                "got 'shop'"
            ],
        ),
        (
            "database: {kind: aurora_cluster, identifier: Shop, encryptet: true}",
            [
                "shop.yaml:6:50: environments.staging.database.identifier: expected lower-case "
                "letters, digits and single hyphens (1 to 63 characters), got 'Shop'",
                "shop.yaml:6:56: environments.staging.database.encryptet: unknown field; did you "
                "mean 'encrypted'?",
            ],
        ),
        (
            "database: {kind: aurora_cluster}",
            [
                "shop.yaml:6:5: environments.staging.database.identifier: missing; expected "
                "lower-case letters, digits and single hyphens (1 to 63 characters)"
            ],
        ),
        (
            "strategy: {bake_minutes: 5}",
            [
                "shop.yaml:6:16: environments.staging.strategy.bake_minutes: only 'blue_green' "
                "has this field; this is of kind 'rolling'"
            ],
        ),
        (
            "strategy: {kind: blue_green, maximum_percent: 150}",
            [
                "shop.yaml:6:22: environments.staging.strategy.kind: 'blue_green' is not "
                "supported yet: Slipway does not track traffic shifts between target groups yet",
                "shop.yaml:6:34: environments.staging.strategy.maximum_percent: only 'rolling' "
                "has this field; this is of kind 'blue_green'",
            ],
        ),
    ],
)
def test_what_is_wrong_with_a_kind_is_told_where_it_stands(lines: str, expected: list[str]) -> None:
    assert added(f"    {lines}\n") == expected


def test_an_unknown_kind_of_target_is_told_with_the_kinds_that_there_are() -> None:
    text = HEAD.replace("{cluster: shop,", "{kind: eks, cluster: shop,")

    assert told(text) == [
        "shop.yaml:5:20: environments.staging.target.kind: expected 'ecs', got 'eks'; did you "
        "mean 'ecs'?"
    ]


def test_rules_inside_a_kind_are_told_beside_fields_that_are_wrong_in_it() -> None:
    lines = "    strategy: {kind: blue_green, bake_minutes: 90, timeout_minutes: 60, x: 1}\n"

    assert [line.partition(": ")[2] for line in added(lines)] == [
        f"{HERE}.strategy.kind: 'blue_green' is not supported yet: Slipway does not track "
        "traffic shifts between target groups yet",
        f"{HERE}.strategy: bake_minutes must be below timeout_minutes",
        f"{HERE}.strategy.x: unknown field; expected one of kind, bake_minutes, timeout_minutes",
    ]


def test_a_migration_without_its_database_is_told_beside_an_unknown_kind() -> None:
    lines = "    migration: {command: [up]}\n    strategy: {kind: canary}\n"

    assert sentences(added(lines)) == [
        f"{HERE}: migration with backup.policy 'required' needs a database",
        f"{HERE}.strategy.kind: expected 'rolling' or 'blue_green', got 'canary'",
    ]


def test_a_plan_that_was_stored_with_a_strategy_that_no_catalog_may_hold_still_loads() -> None:
    stored = entry(strategy={"kind": "blue_green"})["environments"]["staging"]

    assert Environment.model_validate(stored).strategy == BlueGreen(kind="blue_green")
