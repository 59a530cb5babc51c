"""What people and pipelines wish for, once more, at once or not alike; and what Slack answers."""

import json
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from cloud.simulation.outside import Secrets
from cloud.simulation.prepared import FIRST
from cloud.simulation.run import Run
from cloud.simulation.scenarios import GOOD, NEWER, NEXT, SHOP, Story
from cloud.simulation.world import Image
from cloud.twin.ecr.blobs import digest_of
from slipway.domain.outcome import Outcome

_PUSH = "ECR Image Action"
# With the schema that is live: going back needs no downgrade.
_SAME_SCHEMA = Image("shop", "2", "s1")
_NO_THIRD = "shop-production-4"
_ONE = {SHOP: Outcome.SUCCEEDED, NEXT: None}
_TWO = {SHOP: Outcome.SUCCEEDED, NEXT: Outcome.SUCCEEDED, _NO_THIRD: None}
_AFTER_THE_HOLD = {SHOP: Outcome.BLOCKED, NEXT: Outcome.SUCCEEDED, _NO_THIRD: None}
_REPLACED = {SHOP: Outcome.SUPERSEDED, NEXT: Outcome.SUCCEEDED}
_PROMOTED = {name: Outcome.SUCCEEDED for name in ("ledger-staging-2", "ledger-production-2")}
_OCI = "application/vnd.oci.image"
# Configuration and layer of what is pushed beside images.
_CHART = (
    "application/vnd.cncf.helm.config.v1+json",
    "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
)
_SIGNATURE = (f"{_OCI}.config.v1+json", "application/vnd.dev.cosign.simplesigning.v1+json")


def _approved(run: Run, image: Image = GOOD, delay: float = 30.0) -> None:
    run.approver(lambda deployment_id: "approve", delay)
    run.at(5.0, lambda: run.push(image, f"v{image.version}"))


def _redelivered(run: Run) -> None:
    """Every event of a push once more, as it was."""
    lines = [line for line in run.cloud.trace.lines if line[1] == "event"]
    for line in lines:
        if line[2]["detail-type"] == _PUSH:
            run.cloud.bus.emit(line[2])


def _told_again(run: Run) -> None:
    """The events of the pushes come once more when their deployments are over."""
    run.when(NEXT, "Succeeded", lambda: run.at(60.0, lambda: _redelivered(run)))


def _moved_back(*, lost: bool) -> Callable[[Run], None]:
    """A tag is moved back to the first release when the second one is live."""

    def begin(run: Run) -> None:
        def back() -> None:
            if lost:
                run.lose(_PUSH)
            run.push(FIRST["shop", "v1"], "v2")

        _approved(run, _SAME_SCHEMA)
        run.when(SHOP, "Succeeded", lambda: run.at(120.0, back))
        _told_again(run)

    return begin


def _held(run: Run) -> None:
    run.at(1.0, lambda: run.operator.hold("shop", "production"))
    _approved(run)


def _pushed_again(run: Run) -> None:
    """What a hold has stopped is pushed once more after it."""
    _held(run)
    run.when(SHOP, "Blocked", lambda: run.operator.lift("shop", "production"))
    run.when(SHOP, "Blocked", lambda: run.at(60.0, lambda: run.push(GOOD, "v2-again")))
    _told_again(run)


def _lift_started(run: Run) -> None:
    """Whoever lifts a hold starts what it has stopped."""

    def lifted() -> None:
        for one in run.operator.lift_and_start("shop", "production")[:1]:
            _requested(run, one.release.digest, one.release.tag)

    _held(run)
    run.when(SHOP, "Blocked", lifted)


def _requested(run: Run, digest: str, tag: str, **more: Any) -> None:
    detail = {
        "application": "shop",
        "environment": "production",
        "repository": "shop",
        "digest": digest,
        "tag": tag,
        "requested_by": "ada",
        "request_id": f"ask-{len(run.requests) + 1}",
        **more,
    }
    run.ask("Deployment Requested", detail)


def _request_over(image: Image, **more: Any) -> Callable[[Run], None]:
    """A person asks for a release while one waits for approval."""

    def begin(run: Run) -> None:
        _approved(run, delay=60.0)
        if image is not GOOD:
            run.at(1.0, lambda: run.push(image, "w3"))
        run.when(SHOP, "Approve", lambda: _requested(run, image.digest, "w3", **more))

    return begin


def _request_races(run: Run) -> None:
    """A person asks for one release at the moment at which another one is pushed."""
    _approved(run)
    run.at(1.0, lambda: run.push(NEWER, "w3"))
    run.at(5.0, lambda: _requested(run, NEWER.digest, "w3"))


def _artifact(config: str, layer: str, tag: str) -> Callable[[Run], None]:
    """Something that is no image comes under a tag that the catalog means, as others wait."""

    def pushed(run: Run) -> None:
        parts = (b'{"name": "chart"}', b"its content")
        blobs = [run.cloud.ecr.put_layer("shop", part) for part in parts]
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": f"{_OCI}.manifest.v1+json",
                "config": {"mediaType": config, "digest": blobs[0]},
                "layers": [{"mediaType": layer, "digest": blobs[1]}],
            }
        )
        run.artifacts.add(digest_of(manifest.encode()))
        image = {"repositoryName": "shop", "imageManifest": manifest, "imageTag": tag}
        run.call("ecr", "PutImage", image)

    def begin(run: Run) -> None:
        _approved(run, delay=60.0)
        run.when(SHOP, "Approve", lambda: pushed(run))

    return begin


def _within_a_second(run: Run) -> None:
    """Three pushes whose events tell the same second, and come again when all is over."""
    run.approver(lambda deployment_id: "approve")
    start = 6.0 - run.cloud.clock.elapsed % 1
    for number, part in ((2, 0.1), (3, 0.45), (4, 0.8)):
        image = Image("shop", f"{number}", "s2")
        run.at(start + part, partial(run.push, image, f"v{number}"))
    run.at(500.0, lambda: _redelivered(run))


def _late_push(run: Run) -> None:
    """The event of a push comes hours after the sweep has found it."""

    def arrives() -> None:
        run.cloud.bus.lost.clear()
        _redelivered(run)

    _approved(run)
    run.lose(_PUSH)
    run.at(3 * 3600.0, arrives)


def _lost_retag(run: Run) -> None:
    """An image that no environment ran gets a tag that means one, and nobody hears of it."""

    def tagged() -> None:
        run.lose(_PUSH)
        run.push(GOOD, "v2")

    run.approver(lambda deployment_id: "approve")
    run.at(5.0, lambda: run.push(GOOD, "w2"))
    run.at(400.0, tagged)


def _promoted(run: Run) -> None:
    run.approver(lambda deployment_id: "approve")
    run.at(5.0, lambda: run.push(Image("ledger", "2", "t2"), "v2"))


def _slack_says(odd: Callable[[Run], Any]) -> Callable[[Run], None]:
    def begin(run: Run) -> None:
        _promoted(run)
        run.cloud.slack.odd = odd(run)

    return begin


def _gateway(run: Run) -> Any:
    """Every message arrives, and what stands before Slack says that it has given up."""
    arrived: set[str] = set()

    def odd(operation: str, params: dict[str, Any]) -> dict[str, Any] | None:
        what = json.dumps(params.get("metadata"))
        if operation not in ("chat.postMessage", "webhook") or what in arrived:
            return None
        arrived.add(what)
        run.cloud.slack.post(params)
        return {"status": 504, "body": b"<html>Gateway Timeout</html>"}

    return odd


def _refusing(error: str, refused: Callable[[dict[str, Any]], bool]) -> Callable[[Run], Any]:
    answer = json.dumps({"ok": False, "error": error}).encode()

    def odd(operation: str, params: dict[str, Any]) -> dict[str, Any] | None:
        told = operation.startswith("chat.") and refused(params)
        return {"status": 200, "body": answer} if told else None

    return lambda run: odd


def _webhook(run: Run) -> None:
    run.cloud.secrets = Secrets(webhook=True)
    _promoted(run)


def _webhook_gateway(run: Run) -> None:
    _webhook(run)
    run.cloud.slack.odd = _gateway(run)


def _lagging(run: Run) -> None:
    """Step Functions' list and the table's indexes are far behind, and keys come in halves."""
    clock, table = run.cloud.clock, run.cloud.table
    run.cloud.machine.lag = 100.0
    table.halves = True
    table.later = lambda action: clock.call_later(20.0, action)
    _approved(run, delay=100.0)
    run.at(5.0, lambda: run.push(Image("ledger", "2", "t2"), "v2"))


@cache
def wishes() -> dict[str, Story]:
    """The stories of wishes and of what people are told, by name."""
    blocks = _refusing("invalid_blocks", lambda asked: bool(asked.get("blocks")))
    archived = _refusing("is_archived", lambda asked: asked["channel"] in ("#ledger", "C0LEDGER1"))
    found = [
        Story("moved-back", _moved_back(lost=False), _TWO),
        Story("moved-back-unheard", _moved_back(lost=True), _TWO),
        Story("pushed-again", _pushed_again, _AFTER_THE_HOLD),
        Story("lift-starts", _lift_started, _AFTER_THE_HOLD),
        Story("request-over-waiting", _request_over(NEWER), _ONE),
        Story("request-replaces", _request_over(NEWER, replace=True), _REPLACED),
        Story("request-served", _request_over(GOOD), _ONE),
        Story("request-races-push", _request_races),
        Story("chart-while-waiting", _artifact(*_CHART, "v9"), _ONE),
        Story("signature-while-waiting", _artifact(*_SIGNATURE, "v2.sig"), _ONE),
        Story("within-a-second", _within_a_second),
        Story("late-push", _late_push, _ONE),
        Story("lost-retag", _lost_retag, _ONE),
        Story("slack-gateway", _slack_says(_gateway), _PROMOTED),
        Story("slack-blocks", _slack_says(blocks), _PROMOTED),
        Story("slack-archived", _slack_says(archived), _PROMOTED),
        Story("slack-webhook", _webhook, _PROMOTED),
        Story("slack-webhook-gateway", _webhook_gateway, _PROMOTED),
        Story("lagging-lists", _lagging, {SHOP: Outcome.SUCCEEDED, **_PROMOTED}),
    ]
    return {story.name: story for story in found}
