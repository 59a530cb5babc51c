"""Where the checks of a service are asked: the catalog's address, or that of its load balancer."""

from slipway.domain.catalog import Environment
from slipway.domain.errors import Reason, Rejected
from slipway.domain.plan import LiveService
from slipway.ports import LoadBalancers


def addressed(live: LiveService, settings: Environment, balancers: LoadBalancers) -> LiveService:
    """The service with the address of its checks; Rejected when they have none.

    Found now, it is a refusal; found by Verify, it would be a rollback of a good release.
    """
    base_url = settings.verification.base_url
    if base_url is None and live.target_group_arn is not None:
        base_url = balancers.base_url(live.target_group_arn)
    if settings.verification.checks and base_url is None:
        raise Rejected(
            Reason.CATALOG_INVALID,
            f"Nothing listens in front of the service '{settings.target.service}', so its checks "
            "have no address; set verification.base_url in the catalog.",
        )
    return live.model_copy(update={"base_url": base_url})
