"""The address to send a service's checks to: the catalog's, or that of its load balancer."""

from collections.abc import Iterable

from slipway.domain.catalog import Environment, HttpCheck
from slipway.domain.errors import Reason, Rejected
from slipway.domain.plan import LiveService
from slipway.domain.routing import Address, address_of
from slipway.domain.verdict import HttpRequest
from slipway.ports.observation import LoadBalancers


def with_address(live: LiveService, settings: Environment, balancers: LoadBalancers) -> LiveService:
    """The service with the address of its checks; Rejected when they have none.

    Noticed now, it is a refusal. Noticed by Verify, it would roll a good release back, or count
    the answers of another service behind the same load balancer.
    """
    verification = settings.verification
    base_url = verification.base_url
    if verification.checks and base_url is None:
        fronts = balancers.fronts(live.target_groups) if live.target_groups else ()
        found = address_of(fronts, [check.path for check in verification.checks])
        base_url = found.base_url
        if base_url is None:
            raise Rejected(Reason.CATALOG_INVALID, _why_no_address(settings.target.service, found))
    return live.model_copy(update={"base_url": base_url})


def requests_for(checks: Iterable[HttpCheck], live: LiveService) -> tuple[HttpRequest, ...]:
    """The requests for these checks, to the address that the plan found."""
    return tuple(
        HttpRequest(url=f"{live.base_url or ''}{check.path}", follow=check.follows)
        for check in checks
    )


def _why_no_address(service: str, found: Address) -> str:
    if not found.reasons:
        return (
            f"No load balancer is in front of the service '{service}', so its checks have no "
            "address; "
            "set verification.base_url in the catalog."
        )
    return (
        f"The checks of the service '{service}' have no address: {'; '.join(found.reasons)}. "
        "Set verification.base_url in the catalog to an address that leads to the service."
    )
