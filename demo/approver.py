"""The person who approves: finds the link in Slack, reads the page, presses the button."""

import html
import re
import time

import requests

from cloud.embedded import Cloud

_TIMEOUT_SECONDS = 30
_LINK = r'https?://[^\s"<>|\\]+/approvals/{}\?[^\s"<>|\\]+'


class NoLink(Exception):
    """Slack was told no approval link in time."""


def approval_link(cloud: Cloud, deployment_id: str, timeout_seconds: float = 60) -> str:
    """The approval link of a deployment, as Slack was told it."""
    pattern = re.compile(_LINK.format(re.escape(deployment_id)))
    deadline = time.monotonic() + timeout_seconds
    while time.monotonic() < deadline:
        found = pattern.search(_slack(cloud))
        if found:
            return html.unescape(found.group())
        time.sleep(0.25)
    raise NoLink(f"No approval link for {deployment_id} in Slack after {timeout_seconds:.0f} s.")


def decide(link: str, answer: str, by: str, comment: str = "") -> requests.Response:
    """Open the page and send its form with this answer ("approve" or "reject")."""
    page = requests.get(link, timeout=_TIMEOUT_SECONDS)
    page.raise_for_status()
    form = {**_hidden_fields(page.text), "by": by, "answer": answer, "comment": comment}
    return requests.post(link, data=form, timeout=_TIMEOUT_SECONDS)


def _slack(cloud: Cloud) -> str:
    return requests.get(f"{cloud.twin.url}/slack/messages", timeout=_TIMEOUT_SECONDS).text


def _hidden_fields(page: str) -> dict[str, str]:
    hidden = re.findall(r"<input[^>]*type=\"hidden\"[^>]*>", page)
    named = [(re.search(r'name="([^"]*)"', f), re.search(r'value="([^"]*)"', f)) for f in hidden]
    return {n.group(1): html.unescape(v.group(1)) for n, v in named if n and v}
