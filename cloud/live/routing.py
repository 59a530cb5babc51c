"""Which target answers a request: rules by path, host, method and header; weights; turns."""

import fnmatch
import itertools
import random
from collections import defaultdict
from collections.abc import Mapping

from cloud.twin.engines import FixedResponse, Forward, Route, Routing

Address = tuple[str, int]


class Turns:
    """Round robin over the targets that take requests, for each set of targets by itself."""

    def __init__(self) -> None:
        self._random = random.Random()
        self._counters: dict[tuple[Address, ...], itertools.count[int]] = defaultdict(
            itertools.count
        )

    def pick(self, forward: Forward) -> Address | None:
        """The next target of a weighted group; None if the group has no target to offer."""
        groups = [(weight, targets) for weight, targets in forward.groups if weight > 0]
        if not groups:
            return None
        weights = [weight for weight, _ in groups]
        targets = self._random.choices(groups, weights)[0][1]
        if not targets:
            return None
        return targets[next(self._counters[targets]) % len(targets)]


def action_for(
    routing: Routing, method: str, path: str, headers: Mapping[str, str]
) -> Forward | FixedResponse | None:
    """The action of the first rule that holds; header names are in lower case."""
    for route in routing.routes:
        if _holds(route, method, path, headers):
            return route.action
    return None


def location_for(response: FixedResponse, path: str, headers: Mapping[str, str]) -> str:
    """Where the response leads, in the request's own words; empty when it leads nowhere."""
    plain, _, query = path.partition("?")
    own = {"#{host}": _host(headers), "#{path}": plain.lstrip("/"), "#{query}": query}
    location = response.location
    for name, value in own.items():
        location = location.replace(name, value)
    return location.removesuffix("?")


def _holds(route: Route, method: str, path: str, headers: Mapping[str, str]) -> bool:
    return all(
        any(_matches(_actual(field, method, path, headers), each) for each in patterns)
        for field, patterns in route.conditions.items()
    )


def _matches(text: str, pattern: str) -> bool:
    # The wildcards are * and ?; a bracket is a bracket.
    return fnmatch.fnmatchcase(text, pattern.replace("[", "[[]"))


def _host(headers: Mapping[str, str]) -> str:
    return headers.get("host", "").partition(":")[0].lower()


def _actual(field: str, method: str, path: str, headers: Mapping[str, str]) -> str:
    if field == "path-pattern":
        return path.partition("?")[0]
    if field == "http-request-method":
        return method
    if field == "host-header":
        return _host(headers)
    return headers.get(field.removeprefix("http-header:"), "")
