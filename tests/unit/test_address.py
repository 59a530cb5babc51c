"""Where the checks are asked is known before anything changes, or the plan is refused."""

import pytest
from pydantic import ValidationError

from slipway.catalog_build.entries import read_entry
from slipway.domain.addresses import why_unreachable
from slipway.domain.catalog import Application
from slipway.domain.errors import Reason
from slipway.domain.routing import Condition, Front, Listener, Rule, address_of
from tests.builders.documents import SETTINGS, environment
from tests.builders.worlds import World, admitted, rejected


def behind(*fronts: Front) -> World:
    world = admitted()
    world.balancers.in_front = fronts
    return world


def front(**changes: object) -> Front:
    usual: dict[str, object] = {
        "name": "shared",
        "dns_name": "shared-1.elb.amazonaws.com",
        "kind": "application",
        "internal": False,
    }
    return Front.model_validate({**usual, **changes})


ELSEWHERE = Rule(leads_to_us=False, does="forwards to other")
SET_IT = "Set verification.base_url in the catalog to an address that leads to the service."


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (
            front(listeners=(Listener(protocol="HTTP", port=80, rules=(ELSEWHERE,)),)),
            "port 80 of 'shared' forwards to other for shared-1.elb.amazonaws.com/health",
        ),
        (
            front(listeners=(Listener(protocol="HTTPS", port=443),)),
            "port 443 of 'shared' is HTTPS, and a certificate names the site, not the load "
            "balancer",
        ),
        (
            front(internal=True),
            "'shared' is internal, so Slipway's functions cannot reach it unless they are attached "
            "to its VPC",
        ),
        (front(kind="network"), "'shared' is a network load balancer, which has no HTTP address"),
    ],
)
def test_checks_that_would_reach_nobody_or_somebody_else_are_refused_with_what_was_found(
    found: Front, why: str
) -> None:
    world = behind(found)

    assert rejected(world.plan) == (
        Reason.CATALOG_INVALID,
        f"The checks of the service 'notes' have no address: {why}. {SET_IT}",
    )
    assert world.told == ["admitted"]


def test_the_way_on_that_a_refused_address_names_is_open() -> None:
    verification = {**SETTINGS["verification"], "base_url": "https://notes.example.org"}
    world = admitted(World(environment(verification=verification)))
    world.balancers.in_front = (front(internal=True),)

    assert world.plan().plan_hash


def test_the_check_paths_are_part_of_the_question_where_the_service_is_reached() -> None:
    rules = (
        Rule(
            conditions=(Condition(field="path-pattern", values=("/health",)),),
            leads_to_us=True,
            does="forwards to notes",
        ),
        ELSEWHERE,
    )
    world = behind(front(listeners=(Listener(protocol="HTTP", port=80, rules=rules),)))

    world.plan()

    assert world.deployment.planned().live.base_url == "http://shared-1.elb.amazonaws.com"


def test_a_condition_that_is_not_known_takes_away_and_never_gives() -> None:
    unknown = (Condition(field=""),)
    ours = Rule(leads_to_us=True, does="forwards to notes")
    maybe_ours = ours.model_copy(update={"conditions": unknown})
    maybe_not = ELSEWHERE.model_copy(update={"conditions": unknown})

    def found(*rules: Rule) -> str | None:
        listener = Listener(protocol="HTTP", port=80, rules=rules)
        return address_of([front(listeners=(listener,))], ["/health"]).base_url

    assert found(maybe_not, ours) is None
    assert found(maybe_ours, ELSEWHERE) is None
    assert found(maybe_ours, ours) == "http://shared-1.elb.amazonaws.com"


def test_a_pattern_of_many_stars_is_judged_at_once() -> None:
    stars = (Condition(field="path-pattern", values=("/" + "*a" * 60 + "b",)),)
    rule = Rule(conditions=stars, leads_to_us=True, does="forwards to notes")
    listener = Listener(protocol="HTTP", port=80, rules=(rule, ELSEWHERE))

    assert address_of([front(listeners=(listener,))], ["/" + "a" * 2000]).base_url is None


@pytest.mark.parametrize(
    ("base_url", "wrong"),
    [
        ("http://localhost:8000", "names the function itself, not the service"),
        ("http://api.localhost", "names the function itself, not the service"),
        ("https://ada:secret@api.example.com", "must not contain a user or a password"),
        ("https://api.example.com:0", "needs a port from 1 to 65535, or none"),
        ("https://api.example.com:", "needs a port from 1 to 65535, or none"),
        ("https://api.example.com:65536", "is not an address"),
        ("https://api.example.com:http", "is not an address"),
        ("https://[::1", "is not an address"),
        (
            "https://notes-1.us-east-1.elb.amazonaws.com",
            "is HTTPS under a load balancer's own name, which is in no certificate",
        ),
        (
            "https://notes-1.cn-north-1.elb.amazonaws.com.cn:8443",
            "is HTTPS under a load balancer's own name, which is in no certificate",
        ),
        ("https://api.example.com?x=1", "must end after the host and its port"),
        ("https://api.example.com#x", "must end after the host and its port"),
        ("https://api..example.com", "has a host that no name can be"),
        ("https://api example.com", "has a host that no name can be"),
        ("https://-api.example.com", "has a host that no name can be"),
        (f"https://{'a' * 64}.example.com", "has a host that no name can be"),
        (f"https://{'a.' * 130}com", "has a host that no name can be"),
        ("http://2130706433", "has a host that is neither a name nor an IP address"),
        ("http://127.1", "has a host that is neither a name nor an IP address"),
        ("http://0x7f.0.0.0x1", "has a host that is neither a name nor an IP address"),
    ],
)
def test_an_address_that_nobody_can_ask_is_not_taken(base_url: str, wrong: str) -> None:
    assert why_unreachable(base_url) == wrong


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "0.0.0.0",
        "10.0.0.7",
        "172.16.3.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "224.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[::ffff:10.0.0.7]",
    ],
)
def test_an_address_inside_of_a_network_is_not_taken(host: str) -> None:
    assert why_unreachable(f"http://{host}:8080") == (
        "is not a public IP address, so Slipway's functions cannot reach it; use a public name"
    )


@pytest.mark.parametrize(
    "base_url",
    [
        "https://api.example.com",
        "https://api.example.com.",
        "http://API.example.com:8080",
        "https://my_api.example.com",
        "https://bücher.example",
        "http://internal-notes-1.us-east-1.elb.amazonaws.com",
        "http://8.8.8.8",
        "http://[2606:4700::1111]:8080",
    ],
)
def test_an_address_that_may_be_asked_is_taken(base_url: str) -> None:
    assert why_unreachable(base_url) is None


def test_the_catalog_tells_where_an_address_stands_that_cannot_be_asked() -> None:
    file = (
        b"application: notes\n"
        b"environments:\n"
        b"  staging:\n"
        b"    push: {repository: notes, tags: ['v*']}\n"
        b"    target: {cluster: c, service: s, container: app}\n"
        b"    verification:\n"
        b"      base_url: http://localhost:8000\n"
    )

    entry, mistakes = read_entry(file, "notes")

    assert entry is None
    assert [one.as_error("notes.yaml") for one in mistakes] == [
        "notes.yaml:7:17: environments.staging.verification.base_url: 'http://localhost:8000' "
        "names the function itself, not the service"
    ]


def test_a_plan_on_record_with_such_an_address_can_still_be_read() -> None:
    verification = {**SETTINGS["verification"], "base_url": "http://10.0.0.7"}

    assert environment(verification=verification).verification.base_url == "http://10.0.0.7"


@pytest.mark.parametrize(
    ("check", "field", "wrong"),
    [
        ({"status": 103}, "status", "103 is never the whole answer"),
        (
            {"status": 204, "contains": "ok"},
            "contains",
            "an answer with status 204 has no body",
        ),
        (
            {"status": 304, "version_field": "version"},
            "version_field",
            "an answer with status 304 has no body",
        ),
    ],
)
def test_a_check_that_no_site_can_answer_is_not_taken(
    check: dict[str, object], field: str, wrong: str
) -> None:
    verification = {"checks": [{"path": "/"}, {"path": "/health", **check}]}
    staging = {**SETTINGS, "verification": verification}

    with pytest.raises(ValidationError) as refused:
        Application.model_validate({"application": "notes", "environments": {"staging": staging}})
    place = f"environments.staging.verification.checks.1.{field}"
    assert f"Value error, {place}: {wrong}" in str(refused.value)
    # What an older Slipway has planned can still be read.
    assert environment(verification=verification).verification.checks[1].why_never
