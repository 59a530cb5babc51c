"""What is told once a cloud stands: where everything is, and what to do next."""

from collections.abc import Sequence
from contextlib import suppress
from threading import Event

from cloud.embedded import Cloud
from demo.narrator import Narrator
from demo.standing.lock import APPLICATION, DEFAULT, Standing, announce, suffix
from demo.standing.reached import reach
from demo.standing.story import as_typed
from demo.standing.ticker import watch
from slipway.domain.commands import lift_command

Hint = tuple[str, str]


def stay(cloud: Cloud, name: str, narrator: Narrator, ended: Event, *, played: bool) -> None:
    """Leave the addresses for other terminals, say what to do next, and tell what happens.

    ``played`` says that the demo's story was played on this cloud before.
    """
    standing = standing_of(cloud, name or DEFAULT)
    reached = reach(standing)
    standing = standing.model_copy(update={"status": reached.links.status()})
    announce(standing)
    _tell_addresses(standing, narrator)
    narrator.title("What to do next, in another terminal")
    for what, why in after_the_demo(standing) if played else first_steps(standing):
        narrator.hint(what, why)
    narrator.title("What happens")
    with suppress(KeyboardInterrupt):
        watch(reached, narrator, ended)
    narrator.say("the cloud ends")


def first_steps(standing: Standing) -> Sequence[Hint]:
    """What to do on a new cloud, in this order."""
    more = suffix(standing.name)
    return (
        (f"make push VERSION=v1{more}", "1. goes live on staging by itself"),
        (standing.slack, "2. Slack: production waits for a person; approve as ada or grace"),
        (f"make push VERSION=v2 WAIT=1{more}", "3. moves the schema, and waits for the end"),
        (f"make push VERSION=v3 WAIT=1{more}", "4. fails its health check and is rolled back"),
        *_always(more),
    )


def after_the_demo(standing: Standing) -> Sequence[Hint]:
    """What to do after the demo's story, which leaves staging on hold."""
    more = suffix(standing.name)
    lane = f"{APPLICATION}/staging"
    return (
        (as_typed(lift_command(lane), standing.name), "1. ends the hold after the last failure"),
        (f"make push VERSION=v6 WAIT=1{more}", "2. adds another column"),
        *_always(more),
    )


def _always(more: str) -> Sequence[Hint]:
    return (
        (f"make status{more}", "what is live, and the link of what waits for a person"),
        (f'eval "$(make env{more})"', "the AWS CLI, SAM and operate mean this cloud"),
        (f"make down{more}", "end it, or Ctrl-C here"),
    )


def _tell_addresses(standing: Standing, narrator: Narrator) -> None:
    narrator.title("The cloud is up")
    for lane, url in standing.services.items():
        narrator.hint(lane, url)
    narrator.hint("Slack", standing.slack)
    narrator.hint("Slipway's status page", standing.status)


def standing_of(cloud: Cloud, name: str) -> Standing:
    """What other terminals have to know of this cloud; its status page is not known yet."""
    environments = cloud.catalog.applications[APPLICATION].environments
    services = {f"{APPLICATION}/{key}": cloud.service_url(APPLICATION, key) for key in environments}
    return Standing(
        name=name,
        folder=str(cloud.folder),
        registry=cloud.twin.url,
        door=cloud.ministack.door_url,
        architecture=cloud.image_architecture,
        fed={key: environment.after is None for key, environment in environments.items()},
        services=services,
        slack=f"{cloud.twin.url}/slack/",
        status="",
        web_url=cloud.stack.web_url,
        link_secret_arn=cloud.stack.link_secret_arn,
        environment=cloud.environment(),
    )
