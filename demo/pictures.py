"""`make pictures`: what README.md shows, from deployments on a cloud of its own."""

import subprocess
import sys
from contextlib import suppress
from typing import Final

from cloud.embedded import ROOT, Cloud
from demo.approver import approval_link, decide
from demo.browser import Browser, NoPicture
from demo.narrator import Narrator
from demo.observer import Observer
from demo.scenes import (
    APPLICATION,
    APPROVER,
    PRODUCTION,
    STAGING,
    Stage,
    first_release,
    unhealthy_release,
)
from demo.standing.on_a_cloud import on_a_cloud
from demo.standing.reached import signed_links
from slipway.domain.deployment import Phase
from slipway.domain.outcome import Outcome

FOLDER: Final = ROOT / "docs" / "images"


def main() -> int:
    """Start a browser before anything that takes long: without one nothing is begun."""
    narrator = Narrator()
    try:
        with Browser() as browser:
            _warn_without_emoji(narrator)
            return on_a_cloud(
                lambda cloud, told: _take(browser, cloud, told), name=None, narrator=narrator
            )
    except NoPicture as reason:
        print(reason, file=sys.stderr)
        return 1


def _warn_without_emoji(narrator: Narrator) -> None:
    """Slack's messages begin with one; without a font for it there is an empty box."""
    asked = ["fc-list", ":lang=und-zsye", "family"]
    with suppress(FileNotFoundError):
        if not subprocess.run(asked, capture_output=True, check=False).stdout:
            narrator.say("no font with emoji was found: `apt-get install fonts-noto-color-emoji`")


def _take(browser: Browser, cloud: Cloud, narrator: Narrator) -> int:
    cloud.deploy()
    stage = Stage(cloud, narrator, Observer(cloud), by_browser=False)
    first_release(stage)
    digest = stage.push("v2")
    stage.play("v2 to staging", digest, STAGING, Outcome.SUCCEEDED)
    _while_production_waits(browser, stage, digest)
    unhealthy_release(stage, lift=False)
    links = signed_links(
        cloud.client("secretsmanager"), cloud.stack.web_url, cloud.stack.link_secret_arn
    )
    _save(browser, narrator, links.status(), "status", 750, "body", "Rolled")
    return 0 if all(scene.as_expected for scene in stage.scenes) else 1


def _while_production_waits(browser: Browser, stage: Stage, digest: str) -> None:
    """The message and the page of an approval, and then its end."""
    observer, narrator = stage.observer, stage.narrator
    waiting = observer.admitted(APPLICATION, PRODUCTION, digest)
    observer.in_phase(waiting.deployment_id, Phase.AWAITING_APPROVAL, narrator.phase)
    link = approval_link(stage.cloud, waiting.deployment_id)
    slack = f"{stage.cloud.twin.url}/slack/"
    _save(browser, narrator, slack, "slack", 920, ".message", f"/approvals/{waiting.deployment_id}")
    _save(browser, narrator, link, "approval", 645, "body", waiting.deployment_id)
    decide(link, "approve", APPROVER, "Looks good.")
    observer.settled(waiting.deployment_id, narrator.phase)


def _save(
    browser: Browser, narrator: Narrator, url: str, name: str, width: int, *wanted: str
) -> None:
    file = FOLDER / f"{name}.png"
    selector, containing = wanted
    browser.picture(url, file, width, selector, containing)
    narrator.say(f"saved {file.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
