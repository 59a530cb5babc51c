"""Messages: each state is announced once, every outcome is announced, and no secret leaks."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from cloud.simulation.watch import Violations, Watch, invariant
from cloud.simulation.world import CANARY
from slipway.domain.deployment import Deployment
from slipway.domain.news import HEADLINES
from slipway.domain.notice import Notice, NoticeState
from slipway.domain.outcome import Outcome


@invariant(14, "at most one message per deployment and state")
def states_are_announced_once(watch: Watch) -> Violations:
    counts = Counter(
        (payload["deployment_id"], payload["state"])
        for message in watch.cloud.slack.messages
        if (payload := message.get("metadata", {}).get("event_payload"))
    )
    for (deployment_id, state), count in counts.items():
        if count > 1:
            yield f"{count} messages about {deployment_id} {state}"


@invariant(14, "every outcome reaches Slack")
def outcomes_are_announced(watch: Watch) -> Violations:
    for one in watch.deployments():
        if one.outcome in (None, Outcome.UNCHANGED) or watch.cloud.secrets.webhook:
            continue
        if not watch.message_count(one.deployment_id, one.outcome):
            yield f"{one.deployment_id} ended as {one.outcome}, without a message"


@invariant(14, "a deployment's message shows its outcome")
def messages_are_up_to_date(watch: Watch) -> Violations:
    for one in watch.deployments():
        shown = [message["text"] for message in _own_messages(watch, one.deployment_id)]
        # Where Slack rejects the blocks, the text continues after its first line.
        lines = shown[-1].splitlines() if shown else []
        if lines and one.outcome and not _has_headline(lines, HEADLINES[one.outcome]):
            yield f"{one.deployment_id} is {one.outcome}, its message: {shown[-1]}"


def _has_headline(lines: list[str], headline: str) -> bool:
    return any(line.endswith(headline) for line in lines)


def _own_messages(watch: Watch, deployment_id: str) -> Iterator[dict[str, Any]]:
    """The deployment's own messages: not the replies in a thread."""
    for message in watch.cloud.slack.messages:
        payload = message.get("metadata", {}).get("event_payload", {})
        if payload.get("deployment_id") == deployment_id and "thread_ts" not in message:
            yield message


@invariant(14, "a webhook announces every outcome once, unless its delivery is unclear")
def webhook_announces_once(watch: Watch) -> Violations:
    if not watch.cloud.secrets.webhook:
        return
    sent = Counter(message["text"] for message in watch.cloud.slack.messages)
    wanted: Counter[str] = Counter()
    unclear: Counter[str] = Counter()
    for one in watch.deployments():
        if one.outcome not in (None, Outcome.UNCHANGED):
            text = f"{one.application} in {one.environment}: {HEADLINES[one.outcome]}"
            wanted[text] += 1
            unclear[text] += _is_unclear(watch, one)
    for text, count in wanted.items():
        if not count - unclear[text] <= sent[text] <= count:
            yield f"'{text}' was sent {sent[text]} times"


def _is_unclear(watch: Watch, one: Deployment) -> bool:
    notice = watch.item(f"DEPLOYMENT#{one.deployment_id}", "NOTICE", Notice)
    return notice is not None and notice.told.get(one.outcome) is NoticeState.SENDING


@invariant(22, "no secret of a task's log is stored, sent, logged or returned")
def secrets_stay_secret(watch: Watch) -> Violations:
    # Only the log of an image can hold it; without one there is nothing to search.
    if not any(image.log for image in watch.cloud.engines.images.values()):
        return
    for where, text in _outgoing_texts(watch):
        if CANARY in text:
            yield f"{where} contains the secret"


def _outgoing_texts(watch: Watch) -> Iterator[tuple[str, str]]:
    """Everything that leaves a function, with its destination."""
    trace = watch.cloud.trace
    for _, _, change in trace.writes:
        yield f"{change.key}", (change.after or {}).get("document", {}).get("S", "")
    for message in watch.cloud.slack.messages:
        yield "a message in Slack", json.dumps(message)
    for line in trace.lines:
        if line[1] == "ended":
            yield f"the answer of {line[2].function.name}", f"{line[3]} {line[4]}"
    for text in watch.cloud.logged:
        yield "a function's log", text
