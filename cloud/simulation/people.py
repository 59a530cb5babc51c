"""The people of a run: whoever approves from Slack, and the operator."""

from collections.abc import Callable
from functools import partial
from typing import Any, cast
from urllib.parse import urlencode

from cloud.simulation.cloud import Cloud
from cloud.simulation.execution import Failed
from cloud.simulation.install import client
from cloud.simulation.outside import links_in
from cloud.simulation.template import template
from cloud.simulation.world import APPROVERS
from slipway.adapters.announcements import EventBridgeAnnouncements
from slipway.adapters.records import DynamoDBRecords
from slipway.domain.blocked import blocked_deployments
from slipway.domain.deployment import Deployment
from slipway.domain.errors import Rejected
from slipway.journal import Journal
from slipway.requests import cancel as cancelling
from slipway.requests import lift as lifting

Decides = Callable[[str], str | None]
# A person whose approval matters does not leave after a few error pages.
_TRIES = 12


def _approves(deployment_id: str) -> str | None:
    return "approve"


class Person:
    """Somebody who reads Slack and answers approvals through the web function."""

    def __init__(
        self,
        cloud: Cloud,
        decides: Decides = _approves,
        delay: float = 30.0,
        second: str | None = None,
    ) -> None:
        self._cloud = cloud
        self._decides = decides
        self._delay = delay
        self._second = second
        self._asked: set[str] = set()
        self.pending = 0
        cloud.slack.seen = self._read

    def leave(self) -> None:
        """Read no further message."""
        self._cloud.slack.seen = None

    def _read(self, message: dict[str, Any]) -> None:
        for deployment_id, signature in links_in(message):
            answer = self._decides(deployment_id)
            if deployment_id in self._asked or answer is None:
                continue
            self._asked.add(deployment_id)
            answers = [answer, self._second] if self._second else [answer]
            for number, said in enumerate(answers):
                form = {"answer": said, "by": APPROVERS[number], "comment": "", "sig": signature}
                self.pending += 1
                self._cloud.clock.call_later(
                    self._delay + 0.02 * number, partial(self._click, deployment_id, form, 1)
                )

    def _click(self, deployment_id: str, form: dict[str, str], tried: int) -> None:
        path = f"/approvals/{deployment_id}"
        event = {
            "version": "2.0",
            "rawPath": path,
            "rawQueryString": "",
            "headers": {"content-type": "application/x-www-form-urlencoded"},
            "requestContext": {
                "stage": "$default",
                "http": {"method": "POST", "path": path},
                "requestId": "1",
            },
            "body": urlencode(form),
            "isBase64Encoded": False,
        }

        def ended(result: Any, failed: Failed | None) -> None:
            status = result["statusCode"] if failed is None else 502
            self._cloud.trace.said(
                self._cloud.clock.elapsed, form["by"], f"{form['answer']} {deployment_id}: {status}"
            )
            again = partial(self._click, deployment_id, form, tried + 1)
            if status >= 500 and tried < _TRIES:
                self._cloud.clock.call_later(60.0, again)
            else:
                self.pending -= 1

        self._cloud.lambdas.start(template().functions["web"], event, ended)


class Operator:
    """Whoever steps in from the command line: the same steps, with a person's own access."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        environment = template().functions["settle"].environment
        dynamodb, events = cast("Any", client("dynamodb")), cast("Any", client("events"))
        self._records = DynamoDBRecords(dynamodb, environment["SLIPWAY_TABLE"])
        self._announcements = EventBridgeAnnouncements(events, environment["SLIPWAY_BUS"])

    def cancel(self, deployment_id: str) -> None:
        """Ask a deployment to stop, or to be taken back."""
        wish = partial(
            cancelling.cancel, deployment_id, by="olga", announcements=self._announcements
        )
        self._told(
            f"cancels {deployment_id}", lambda now: wish(journal=Journal(self._records, now))
        )

    def hold(self, application: str, environment: str) -> None:
        """Stop automation on a lane."""
        wish = partial(lifting.hold, by="olga", message="by hand", records=self._records)
        self._told(f"holds {application}/{environment}", partial(wish, application, environment))

    def lift(self, application: str, environment: str) -> None:
        """Let automation go on."""
        wish = partial(lifting.lift, by="olga", records=self._records)
        self._told(f"lifts {application}/{environment}", partial(wish, application, environment))

    def lift_and_start(self, application: str, environment: str) -> list[Deployment]:
        """Lift a hold; what it has stopped, the newest push first, as `lift --start` finds it."""
        before = self._records.lane(application, environment)
        self.lift(application, environment)
        after = self._records.lane(application, environment)
        recent = self._records.recent(after, 100)
        return blocked_deployments(before.hold, after, recent) if before.hold else []

    def _told(self, what: str, wish: Callable[..., object]) -> None:
        clock, trace = self._cloud.clock, self._cloud.trace
        try:
            wish(now=clock.now())
            trace.said(clock.elapsed, "olga", what)
        except Rejected as refused:
            trace.said(clock.elapsed, "olga", f"{what}: {refused}")
