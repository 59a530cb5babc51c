"""Where a service is reached, and how its targets do."""

from typing import Any

import pytest

from slipway.adapters.elbv2 import HEALTH, ElasticLoadBalancers
from slipway.domain.errors import Broken
from slipway.domain.routing import Address, Condition, Front, Listener, Rule, address_of
from slipway.domain.verdict import RegisteredTarget, TargetHealth
from tests.integration.adapters.ecs_answers import GROUP
from tests.integration.adapters.stubbed import refuse, stubbed

PREFIX = "arn:aws:elasticloadbalancing:us-east-1:000000000000:"
BALANCER = f"{PREFIX}loadbalancer/app/notes/1"
INSIDE = f"{PREFIX}loadbalancer/net/inside/2"
OTHER = f"{PREFIX}targetgroup/other/9"
GREEN = f"{PREFIX}targetgroup/green/2"
HOST = "notes-1.us-east-1.elb.amazonaws.com"
SITE = "notes.example.com"

Answer = dict[str, Any]


def _forward(group: str = GROUP) -> Answer:
    return {"Type": "forward", "TargetGroupArn": group}


def _weighted(**weights: int) -> Answer:
    arns = {"ours": GROUP, "other": OTHER, "green": GREEN}
    groups = [{"TargetGroupArn": arns[name], "Weight": n} for name, n in weights.items()]
    return {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}


def _fixed(status: str) -> Answer:
    return {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": status}}


REDIRECT = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "StatusCode": "HTTP_301"}}
SIGN_IN = {
    "Type": "authenticate-oidc",
    "Order": 1,
    "AuthenticateOidcConfig": {
        "Issuer": "https://id.example.com",
        "AuthorizationEndpoint": "https://id.example.com/authorize",
        "TokenEndpoint": "https://id.example.com/token",
        "UserInfoEndpoint": "https://id.example.com/user",
        "ClientId": "notes",
    },
}


def _host(*values: str) -> Answer:
    return {"Field": "host-header", "HostHeaderConfig": {"Values": list(values)}}


def _path(*values: str) -> Answer:
    return {"Field": "path-pattern", "PathPatternConfig": {"Values": list(values)}}


def _rule(priority: int, conditions: list[Answer], *actions: Answer) -> Answer:
    return {
        "Priority": str(priority),
        "Conditions": conditions,
        "Actions": list(actions or (_forward(),)),
    }


def _listener(protocol: str, port: int, *default: Answer, rules: tuple[Answer, ...] = ()) -> Answer:
    """A listener with its rules, as the two calls describe them; the default rule comes along."""
    last = {"Priority": "default", "IsDefault": True, "Actions": list(default or (_forward(),))}
    return {"Protocol": protocol, "Port": port, "rules": [last, *rules]}


def _fronts(*listeners: Answer, **balancer: str) -> tuple[Front, ...]:
    described = {
        "LoadBalancerArn": BALANCER,
        "LoadBalancerName": "notes",
        "DNSName": HOST,
        "Scheme": "internet-facing",
        "Type": "application",
        **balancer,
    }
    with stubbed("elbv2") as (client, stub):
        groups = {"TargetGroups": [{"TargetGroupArn": GROUP, "LoadBalancerArns": [BALANCER]}]}
        stub.add_response("describe_target_groups", groups, {"TargetGroupArns": [GROUP]})
        asked = {"LoadBalancerArns": [BALANCER]}
        stub.add_response("describe_load_balancers", {"LoadBalancers": [described]}, asked)
        if (described["Scheme"], described["Type"]) == ("internet-facing", "application"):
            _told_listeners(stub, listeners)
        return ElasticLoadBalancers(client).fronts([GROUP])


def _told_listeners(stub: Any, listeners: tuple[Answer, ...]) -> None:
    described = []
    for number, one in enumerate(listeners):
        arn = f"{PREFIX}listener/app/notes/1/{number}"
        described.append({"ListenerArn": arn, "Protocol": one["Protocol"], "Port": one["Port"]})
    stub.add_response("describe_listeners", {"Listeners": described}, {"LoadBalancerArn": BALANCER})
    for one, answer in zip(listeners, described, strict=True):
        if one["Protocol"] in ("HTTP", "HTTPS"):
            asked = {"ListenerArn": answer["ListenerArn"]}
            stub.add_response("describe_rules", {"Rules": one["rules"]}, asked)


def _address(*listeners: Answer, paths: tuple[str, ...] = ("/health",)) -> Address:
    return address_of(_fronts(*listeners), paths)


@pytest.mark.parametrize(
    ("listeners", "url"),
    [
        ([_listener("HTTP", 80)], f"http://{HOST}"),
        ([_listener("HTTP", 8080)], f"http://{HOST}:8080"),
        ([_listener("HTTPS", 443), _listener("HTTP", 80)], f"http://{HOST}"),
        ([_listener("HTTP", 80, _forward(OTHER)), _listener("HTTP", 81)], f"http://{HOST}:81"),
        ([_listener("HTTP", 82, _weighted(green=0, ours=1))], f"http://{HOST}:82"),
        ([_listener("TCP", 5432), _listener("HTTP", 80)], f"http://{HOST}"),
    ],
)
def test_a_service_is_reached_by_the_listener_that_forwards_to_it(
    listeners: list[Answer], url: str
) -> None:
    assert _address(*listeners) == Address(base_url=url)


@pytest.mark.parametrize(
    ("listener", "url"),
    [
        (_listener("HTTP", 80, _fixed("404"), rules=(_rule(1, [_host(SITE)]),)), f"http://{SITE}"),
        (
            _listener("HTTP", 8080, _forward(OTHER), rules=(_rule(1, [_host(SITE)]),)),
            f"http://{SITE}:8080",
        ),
        (
            _listener("HTTPS", 443, _fixed("404"), rules=(_rule(1, [_host(SITE)]),)),
            f"https://{SITE}",
        ),
        (
            _listener("HTTP", 80, _fixed("404"), rules=(_rule(1, [_host("*.x.com", SITE)]),)),
            f"http://{SITE}",
        ),
        # A rule with a path leads to us under whatever name.
        (
            _listener("HTTP", 80, _forward(OTHER), rules=(_rule(1, [_path("/health*")]),)),
            f"http://{HOST}",
        ),
        # Names are the same in any case.
        (
            _listener("HTTP", 80, _fixed("404"), rules=(_rule(1, [_host("Notes.Example.com")]),)),
            f"http://{SITE}",
        ),
        # The condition's values in the form of before 2019.
        (
            _listener(
                "HTTP",
                80,
                _fixed("404"),
                rules=(_rule(1, [{"Field": "host-header", "Values": [SITE]}]),),
            ),
            f"http://{SITE}",
        ),
    ],
)
def test_behind_a_shared_balancer_the_address_is_that_of_the_rule_that_leads_to_us(
    listener: Answer, url: str
) -> None:
    assert _address(listener) == Address(base_url=url)


def test_of_a_site_with_http_and_https_the_secure_one_is_asked() -> None:
    rules = (_rule(1, [_host(SITE)]),)

    assert _address(
        _listener("HTTP", 80, _fixed("404"), rules=rules),
        _listener("HTTPS", 443, _fixed("404"), rules=rules),
    ) == Address(base_url=f"https://{SITE}")


CERTIFICATE = (
    "port 443 of 'notes' is HTTPS, and a certificate names the site, not the load balancer"
)


def _no(does: str, port: int = 80, host: str = HOST, path: str = "/health") -> str:
    return f"port {port} of 'notes' {does} for {host}{path}"


@pytest.mark.parametrize(
    ("listeners", "reasons"),
    [
        ([], ["'notes' has no HTTP listener"]),
        ([_listener("TLS", 443)], ["'notes' has no HTTP listener"]),
        ([_listener("HTTP", 80, _forward(OTHER))], [_no("forwards to other")]),
        ([_listener("HTTP", 80, _fixed("404"))], [_no("returns a fixed response 404")]),
        ([_listener("HTTP", 80, REDIRECT)], [_no("redirects")]),
        ([_listener("HTTPS", 443)], [CERTIFICATE]),
        (
            [_listener("HTTP", 80, REDIRECT), _listener("HTTPS", 443)],
            [_no("redirects"), CERTIFICATE],
        ),
        (
            [_listener("HTTP", 80, SIGN_IN, {**_forward(), "Order": 2})],
            [_no("requires a sign-in, then forwards to notes")],
        ),
        (
            [_listener("HTTP", 80, _weighted(ours=9, other=1))],
            [_no("forwards to notes and other")],
        ),
        ([_listener("HTTP", 80, _weighted(ours=0, green=1))], [_no("forwards to green")]),
        ([_listener("HTTP", 80, _weighted(ours=0))], [_no("forwards to no target group")]),
        # A wildcard names no host that could be asked.
        (
            [_listener("HTTP", 80, _fixed("404"), rules=(_rule(1, [_host("*.example.com")]),))],
            [_no("returns a fixed response 404")],
        ),
        # A rule before ours takes the path of the checks away, by name or for everybody.
        (
            [_listener("HTTP", 80, rules=(_rule(1, [_path("/health")], _fixed("200")),))],
            [_no("returns a fixed response 200")],
        ),
        (
            [
                _listener(
                    "HTTP",
                    80,
                    _fixed("404"),
                    rules=(
                        _rule(20, [_host(SITE)]),
                        _rule(3, [_path("/health*")], _forward(OTHER)),
                    ),
                )
            ],
            [_no("forwards to other"), _no("forwards to other", host=SITE)],
        ),
        # By a header of ours, or by where a request comes from, it may or may not.
        (
            [
                _listener(
                    "HTTP",
                    80,
                    rules=(
                        _rule(
                            1,
                            [
                                {
                                    "Field": "source-ip",
                                    "SourceIpConfig": {"Values": ["192.0.2.0/24"]},
                                }
                            ],
                            _fixed("403"),
                        ),
                    ),
                )
            ],
            [_no("returns a fixed response 403")],
        ),
        (
            [
                _listener(
                    "HTTP",
                    80,
                    rules=(
                        _rule(
                            1,
                            [
                                {
                                    "Field": "http-header",
                                    "HttpHeaderConfig": {
                                        "HttpHeaderName": "User-Agent",
                                        "Values": ["*bot*"],
                                    },
                                }
                            ],
                            _fixed("403"),
                        ),
                    ),
                )
            ],
            [_no("returns a fixed response 403")],
        ),
    ],
)
def test_a_service_that_no_rule_leads_to_has_no_address_and_it_says_why(
    listeners: list[Answer], reasons: list[str]
) -> None:
    assert _address(*listeners) == Address(base_url=None, reasons=tuple(reasons))


@pytest.mark.parametrize(
    "condition",
    [
        {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["POST"]}},
        {
            "Field": "http-header",
            "HttpHeaderConfig": {"HttpHeaderName": "X-Canary", "Values": ["*"]},
        },
        {"Field": "query-string", "QueryStringConfig": {"Values": [{"Value": "beta"}]}},
        _path("/health/[a-z]*", "/Health"),
        _host("other.example.com"),
    ],
)
def test_a_rule_that_cannot_hold_for_a_check_takes_nothing_away(condition: Answer) -> None:
    elsewhere = _rule(1, [condition], _fixed("403"))

    assert _address(_listener("HTTP", 80, rules=(elsewhere,))).base_url == f"http://{HOST}"


def test_every_check_must_be_led_to_the_service() -> None:
    api = _listener("HTTP", 80, _forward(OTHER), rules=(_rule(1, [_path("/api/*")]),))

    assert _address(api, paths=("/api/health?full=1", "/api/")).base_url == f"http://{HOST}"
    assert _address(api, paths=("/api/health", "/")) == Address(
        base_url=None, reasons=(_no("forwards to other", path="/"),)
    )


@pytest.mark.parametrize(
    ("balancer", "reason"),
    [
        (
            {"Scheme": "internal"},
            "'notes' is internal, so Slipway's functions cannot reach it unless they are attached "
            "to its VPC",
        ),
        ({"Type": "network"}, "'notes' is a network load balancer, which has no HTTP address"),
        ({"Type": "gateway"}, "'notes' is a gateway load balancer, which has no HTTP address"),
    ],
)
def test_a_balancer_that_cannot_be_asked_is_not_asked_for_its_listeners(
    balancer: dict[str, str], reason: str
) -> None:
    fronts = _fronts(**balancer)

    assert address_of(fronts, ["/health"]) == Address(base_url=None, reasons=(reason,))


def test_of_several_balancers_the_one_that_answers_http_is_asked() -> None:
    inner = f"{PREFIX}targetgroup/inner/3"
    with stubbed("elbv2") as (client, stub):
        groups = [
            {"TargetGroupArn": GROUP, "LoadBalancerArns": [BALANCER]},
            {"TargetGroupArn": inner, "LoadBalancerArns": [INSIDE]},
        ]
        stub.add_response("describe_target_groups", {"TargetGroups": groups})
        balancers = [
            {"LoadBalancerArn": BALANCER, "DNSName": HOST, "Type": "application"},
            {"LoadBalancerArn": INSIDE, "DNSName": "n", "Type": "network", "Scheme": "internal"},
        ]
        asked = {"LoadBalancerArns": [INSIDE, BALANCER]}
        stub.add_response("describe_load_balancers", {"LoadBalancers": balancers}, asked)
        _told_listeners(stub, (_listener("HTTP", 80),))

        fronts = ElasticLoadBalancers(client).fronts([inner, GROUP])

    assert [front.kind for front in fronts] == ["network", "application"]
    assert address_of(fronts, ["/health"]) == Address(base_url=f"http://{HOST}")


def test_rules_are_read_to_their_last_page_and_hold_by_their_priority() -> None:
    with stubbed("elbv2") as (client, stub):
        groups = {"TargetGroups": [{"TargetGroupArn": GROUP, "LoadBalancerArns": [BALANCER]}]}
        stub.add_response("describe_target_groups", groups)
        balancer = {"LoadBalancerArn": BALANCER, "DNSName": HOST.upper(), "Type": "application"}
        stub.add_response("describe_load_balancers", {"LoadBalancers": [balancer]})
        listener = {"ListenerArn": "arn:listener", "Protocol": "HTTP", "Port": 80}
        stub.add_response("describe_listeners", {"Listeners": [listener]})
        first = {"Rules": [_rule(100, [_path("/*")])], "NextMarker": "more"}
        stub.add_response("describe_rules", first, {"ListenerArn": "arn:listener"})
        default = {"Priority": "default", "Actions": [_forward(OTHER)]}
        second = {"Rules": [default, _rule(9, [_path("/health")], _fixed("200"))]}
        asked = {"ListenerArn": "arn:listener", "Marker": "more"}
        stub.add_response("describe_rules", second, asked)

        (front,) = ElasticLoadBalancers(client).fronts([GROUP])

    assert front.dns_name == HOST
    assert front.listeners == (
        Listener(
            protocol="HTTP",
            port=80,
            rules=(
                Rule(
                    conditions=(Condition(field="path-pattern", values=("/health",)),),
                    leads_to_us=False,
                    does="returns a fixed response 200",
                ),
                Rule(
                    conditions=(Condition(field="path-pattern", values=("/*",)),),
                    leads_to_us=True,
                    does="forwards to notes",
                ),
                Rule(leads_to_us=False, does="forwards to other"),
            ),
        ),
    )


def test_nothing_is_in_front_of_a_target_group_without_a_load_balancer() -> None:
    with stubbed("elbv2") as (client, stub):
        groups = {"TargetGroups": [{"TargetGroupArn": GROUP, "LoadBalancerArns": []}]}
        stub.add_response("describe_target_groups", groups)

        assert ElasticLoadBalancers(client).fronts([GROUP]) == ()


def test_without_a_target_group_nothing_is_asked() -> None:
    with stubbed("elbv2") as (client, _):
        assert ElasticLoadBalancers(client).fronts([]) == ()


def test_targets_tell_their_address_their_state_and_why() -> None:
    described = [
        {"Target": {"Id": "10.0.0.1", "Port": 8000}, "TargetHealth": {"State": "healthy"}},
        {
            "Target": {"Id": "10.0.0.2", "Port": 8000},
            "TargetHealth": {
                "State": "unhealthy",
                "Reason": "Target.ResponseCodeMismatch",
                "Description": "Health checks failed with these codes: [500]",
            },
        },
        {
            "Target": {"Id": "10.0.0.3", "Port": 8000},
            "TargetHealth": {"State": "initial", "Reason": "Elb.RegistrationInProgress"},
        },
    ]
    with stubbed("elbv2") as (client, stub):
        answer = {"TargetHealthDescriptions": described}
        stub.add_response("describe_target_health", answer, {"TargetGroupArn": GROUP})

        targets = ElasticLoadBalancers(client).targets(GROUP)

    failed = "Health checks failed with these codes: [500]"
    assert targets == (
        a_target("10.0.0.1", TargetHealth.HEALTHY, "healthy", ""),
        a_target("10.0.0.2", TargetHealth.UNHEALTHY, "unhealthy", failed),
        a_target("10.0.0.3", TargetHealth.STARTING, "initial", "Elb.RegistrationInProgress"),
    )


def a_target(ip: str, health: TargetHealth, told: str, reason: str) -> RegisteredTarget:
    return RegisteredTarget(address=f"{ip}:8000", health=health, told=told, reason=reason)


@pytest.mark.parametrize(
    ("state", "health"),
    [
        ("draining", TargetHealth.LEAVING),
        ("unhealthy.draining", TargetHealth.LEAVING),
        ("unused", TargetHealth.SILENT),
        ("unavailable", TargetHealth.SILENT),
        ("a state of tomorrow", TargetHealth.SILENT),
    ],
)
def test_a_target_that_takes_no_requests_is_told_from_an_unhealthy_one(
    state: str, health: TargetHealth
) -> None:
    one = {"Target": {"Id": "10.0.0.1", "Port": 8000}, "TargetHealth": {"State": state}}
    with stubbed("elbv2") as (client, stub):
        stub.add_response("describe_target_health", {"TargetHealthDescriptions": [one]})
        targets = ElasticLoadBalancers(client).targets(GROUP)

    assert targets == (a_target("10.0.0.1", health, state, ""),)


def test_no_state_of_the_service_model_is_forgotten() -> None:
    with stubbed("elbv2") as (client, _):
        words = client.meta.service_model.shape_for("TargetHealthStateEnum").enum

    assert set(words) == set(HEALTH)


def test_a_target_group_that_does_not_exist_is_broken() -> None:
    with pytest.raises(Broken), stubbed("elbv2") as (client, stub):
        refuse(stub, "describe_target_health", "TargetGroupNotFound")
        ElasticLoadBalancers(client).targets(GROUP)
