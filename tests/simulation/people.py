"""The people of a run: whoever approves from Slack, and the operator."""

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import urlencode

from tests.simulation.cloud import Cloud
from tests.simulation.outside import links_in
from tests.simulation.states import Failed
from tests.simulation.template import template
from tests.simulation.world import APPROVERS

Decides = Callable[[str], str | None]
_TRIES = 6


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

        self._cloud._start(template().functions["web"], event, ended)
