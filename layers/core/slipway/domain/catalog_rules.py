"""Rules about several entries of the catalog; each lists everything that breaks it.

A line begins with the field that it is about: that is where its reader looks.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from slipway.domain.addresses import why_unreachable

if TYPE_CHECKING:
    from slipway.domain.catalog import Application, Catalog


def refuse(broken: Iterable[str]) -> None:
    """ValueError with all that is broken, a line each."""
    if lines := list(broken):
        raise ValueError("\n".join(lines))


def broken_lines(application: "Application") -> Iterator[str]:
    """What is wrong with each `after`; a circle is listed once, at its first member."""
    in_circles: set[str] = set()
    for name, environment in application.environments.items():
        after = environment.after
        if after is not None and after not in application.environments:
            known = ", ".join(application.environments)
            yield f"environments.{name}.after: no '{after}' (known: {known})"
        elif name not in in_circles and (circle := _circle(application, name)):
            in_circles |= circle
            yield f"environments.{name}.after leads back to itself"


def _circle(application: "Application", name: str) -> set[str]:
    """The environments that lead from this one back to it; empty when none do."""
    line = application.back_from(name)
    return set(line) if application.environments[line[-1]].after == name else set()


def unanswerable(application: "Application") -> Iterator[str]:
    """Addresses that cannot be asked, and checks that no site can answer."""
    for name, environment in application.environments.items():
        where, verification = f"environments.{name}.verification", environment.verification
        base_url = verification.base_url
        if base_url and (wrong := why_unreachable(base_url)) is not None:
            yield f"{where}.base_url: '{base_url}' {wrong}"
        for number, check in enumerate(verification.checks):
            if check.why_never is not None:
                yield f"{where}.checks.{number}.{check.why_never}"


def services_given_twice(catalog: "Catalog") -> Iterator[str]:
    """Environments whose service is another's."""
    owners: dict[tuple[str, str], str] = {}
    for application, name, environment in catalog.environments():
        target, lane = environment.target, f"{application}/{name}"
        owner = owners.setdefault((target.cluster, target.service), lane)
        if owner != lane:
            yield (
                f"applications.{application}.environments.{name}.target: service "
                f"'{target.service}' in cluster '{target.cluster}' is {owner}'s already"
            )


def ids_given_twice(catalog: "Catalog") -> Iterator[str]:
    """Environments whose deployments would have the ids of another's."""
    owners: dict[str, str] = {}
    for application, name, _ in catalog.environments():
        lane = f"{application}/{name}"
        owner = owners.setdefault(f"{application}-{name}", lane)
        if owner != lane:
            yield (
                f"applications.{application}.environments.{name}: its deployments would have "
                f"the ids of {owner}'s ({application}-{name}-1, ...); rename one of them"
            )
