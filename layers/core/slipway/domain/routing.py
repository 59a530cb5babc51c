"""Where a load balancer's listeners and rules lead a request, and so where a service is reached.

The rules are AWS's: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/
listener-rules.html. Host names match whatever their case, paths by their exact case; ``*`` stands
for any characters and ``?`` for one; the rule with the lowest priority that holds decides.
"""

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Final

from slipway.domain.model import Model

DEFAULT_PORTS: Final = {"HTTP": 80, "HTTPS": 443}

# Headers that Slipway's own requests carry; a rule for any other does not hold for them.
_OUR_HEADERS: Final = frozenset(
    {"accept", "accept-encoding", "cache-control", "connection", "host", "user-agent"}
)


class Condition(Model):
    """One condition of a rule: a field by AWS's name, and patterns of which one must hold.

    ``name`` is the header's for ``http-header``. A field that is not known may or may not hold.
    """

    field: str
    values: tuple[str, ...] = ()
    name: str = ""


class Rule(Model):
    """All conditions must hold; the default rule has none. ``does`` is what happens, in words."""

    conditions: tuple[Condition, ...] = ()
    leads_to_us: bool
    does: str


class Listener(Model):
    """One port of a load balancer; ``rules`` in the order in which requests meet them."""

    protocol: str
    port: int
    rules: tuple[Rule, ...] = ()


class Front(Model):
    """One load balancer in front of a service; ``kind`` is AWS's (application, network, ...)."""

    name: str
    dns_name: str
    kind: str
    internal: bool
    listeners: tuple[Listener, ...] = ()


class Address(Model):
    """The base URL under which every path leads to the service; None with the reasons why not."""

    base_url: str | None
    reasons: tuple[str, ...] = ()


def address_of(fronts: Sequence[Front], paths: Sequence[str]) -> Address:
    """Where the service is asked for these paths, by the first front that leads them there.

    Plain HTTP under a balancer's own name comes first, since it needs no DNS entry; then HTTPS and
    HTTP under the host names of the rules that lead to the service.
    """
    reasons: list[str] = []
    for front in fronts:
        reason = _why_closed(front)
        if reason is not None:
            reasons.append(reason)
            continue
        for listener, host in sorted(_doors(front), key=lambda door: _rank(front, *door)):
            reason = _why_not_here(front, listener, host, paths)
            if reason is None:
                return Address(base_url=_url(listener, host))
            reasons.append(reason)
    return Address(base_url=None, reasons=tuple(dict.fromkeys(reasons)))


def _why_closed(front: Front) -> str | None:
    if front.kind != "application":
        return f"'{front.name}' is a {front.kind} load balancer, which has no HTTP address"
    if front.internal:
        return (
            f"'{front.name}' is internal, so Slipway's functions cannot reach it unless they are "
            "attached to its VPC"
        )
    if not any(listener.protocol in DEFAULT_PORTS for listener in front.listeners):
        return f"'{front.name}' has no HTTP listener"
    return None


def _doors(front: Front) -> Iterator[tuple[Listener, str]]:
    """Every listener with the names under which it may be asked: its own, and those of rules."""
    for listener in front.listeners:
        if listener.protocol in DEFAULT_PORTS:
            yield listener, front.dns_name
            yield from ((listener, host) for host in _hosts(listener))


def _hosts(listener: Listener) -> dict[str, None]:
    """The plain host names of the rules that lead to the service, in their order."""
    return {
        host.lower(): None
        for rule in listener.rules
        if rule.leads_to_us
        for condition in rule.conditions
        if condition.field == "host-header"
        for host in condition.values
        if "*" not in host and "?" not in host
    }


def _rank(front: Front, listener: Listener, host: str) -> tuple[bool, bool]:
    own = host == front.dns_name
    return not own, (listener.protocol == "HTTP") is not own


def _why_not_here(front: Front, listener: Listener, host: str, paths: Sequence[str]) -> str | None:
    if listener.protocol == "HTTPS" and host == front.dns_name:
        return (
            f"port {listener.port} of '{front.name}' is HTTPS, and a certificate names the site, "
            "not the load balancer"
        )
    for path in paths:
        rule = _matching_rule(listener, host, path)
        if rule is None or not rule.leads_to_us:
            does = rule.does if rule else "has no rule"
            return f"port {listener.port} of '{front.name}' {does} for {host}{path}"
    return None


def _matching_rule(listener: Listener, host: str, path: str) -> Rule | None:
    """The rule that answers; one that only may hold counts where it leads away from us."""
    for rule in listener.rules:
        holds = _all_hold(_holds(condition, host, path) for condition in rule.conditions)
        if holds or (holds is None and not rule.leads_to_us):
            return rule
    return None


def _all_hold(each: Iterable[bool | None]) -> bool | None:
    found = set(each)
    return False if False in found else None if None in found else True


def _holds(condition: Condition, host: str, path: str) -> bool | None:
    """Whether the condition holds for a GET of ours; None where that cannot be known."""
    plain_path, query, _ = path.partition("?")
    match condition.field:
        case "host-header":
            return any(_matches(host.lower(), value.lower()) for value in condition.values)
        case "path-pattern":
            return any(_matches(plain_path, value) for value in condition.values)
        case "http-request-method":
            return "GET" in condition.values
        case "http-header":
            return None if condition.name.lower() in _OUR_HEADERS else False
        case "query-string":
            return None if query else False
    return None


def _matches(text: str, pattern: str) -> bool:
    # AWS knows no sets of characters: a bracket is a bracket.
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def _url(listener: Listener, host: str) -> str:
    default = DEFAULT_PORTS[listener.protocol] == listener.port
    return f"{listener.protocol.lower()}://{host}" + ("" if default else f":{listener.port}")
