"""A standing cloud's Slipway as an operator reaches it, and the one thing only this machine has.

An approval link is a right: it is signed with the stack's key. The cloud is this person's own, key
and all, so its links are told here; for a stack on AWS only Slack is told them.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import boto3

from cloud.surroundings import settle_in
from demo.standing.lock import ROOT, Standing
from demo.standing.story import Ticket, state
from slipway.adapters.links import Links
from slipway.domain.deployment import Deployment, Phase
from slipway.operate.connection import connect
from slipway.operate.desk import Desk

STACK: Final = "slipway"
CATALOG: Final = ROOT / "catalog"


@dataclass(frozen=True)
class Reached:
    """The desk of a standing cloud, and the links that its key signs."""

    desk: Desk
    links: Links

    def ticket(self, deployment: Deployment) -> Ticket | None:
        """The approval that a deployment waits for, unless somebody has decided it."""
        if deployment.outcome is not None or deployment.phase is not Phase.AWAITING_APPROVAL:
            return None
        approval = self.desk.records.approval(deployment.deployment_id)
        if approval is None or approval.decision is not None:
            return None
        return Ticket(approval, self.links.approval(approval))

    def state(self, deployment: Deployment) -> str:
        """Where the deployment stands now, in one line."""
        return state(deployment, self.ticket(deployment), self.desk.now())

    def tickets(self) -> Iterator[tuple[Deployment, Ticket]]:
        """Everything that waits for a person."""
        for deployment in self.desk.records.unsettled():
            ticket = self.ticket(deployment)
            if ticket is not None:
                yield deployment, ticket


def enter(standing: Standing) -> None:
    """From here on AWS's tools in this process talk to this cloud, whatever the shell says."""
    settle_in()
    os.environ.update(standing.environment)


def reach(standing: Standing) -> Reached:
    """The Slipway of a standing cloud."""
    enter(standing)
    links = signed_links(boto3.client("secretsmanager"), standing.web_url, standing.link_secret_arn)
    return Reached(connect(STACK, CATALOG), links)


def signed_links(secrets: Any, web_url: str, secret_arn: str) -> Links:
    """The links of a stack, signed with its key; ``secrets`` is a Secrets Manager client."""
    secret = secrets.get_secret_value(SecretId=secret_arn)
    return Links(web_url, json.loads(secret["SecretString"])["link_key"])
