"""What a catalog may say though it is rarely meant: told as warnings, and compiled all the same."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from slipway.catalog_build.document import Document
from slipway.catalog_build.meant import channel, looks_like_a_host
from slipway.catalog_build.mistakes import Mistake, Path
from slipway.domain.catalog import Application, BackupPolicy, Environment

_Doubt = tuple[Path, str]
# Tags that are moved to every new image; ECR tells of them as of any push.
_MOVING: Final = ("latest", "main", "master", "stable", "edge", "nightly")
_CHANNEL: Final = re.compile(r"#[a-z0-9_-]{1,80}|[CGD][A-Z0-9]{8,20}")


def doubts(entry: Application, found: Document) -> list[Mistake]:
    """Every warning about an entry, by line."""
    told = [
        Mistake(found.place(path), path, sentence)
        for name, environment in entry.environments.items()
        for path, sentence in _about(environment, ("environments", name))
    ]
    return sorted(told, key=lambda one: (one.place.line, one.place.column, one.sentence))


def _about(environment: Environment, path: Path) -> Iterator[_Doubt]:
    yield from _pushes(environment, (*path, "push"))
    yield from _verification(environment, (*path, "verification"))
    yield from _migration(environment, path)
    named = environment.notifications.slack_channel
    if named and not _CHANNEL.fullmatch(named):
        yield (
            (*path, "notifications", "slack_channel"),
            f"expected '#' and a name, or a channel's id such as C0123456789, got '{named}'; "
            f"did you mean '{channel(named)}'?",
        )


def _pushes(environment: Environment, path: Path) -> Iterator[_Doubt]:
    push = environment.push
    if push is None:
        return
    if looks_like_a_host(push.repository):
        sentence = f"'{push.repository}' begins like a registry's address; ECR's names have none"
        yield (*path, "repository"), sentence
    for index, glob in enumerate(push.tags):
        moving = next((tag for tag in _MOVING if fnmatchcase(tag, glob)), None)
        if moving:
            yield (
                (*path, "tags", index),
                f"'{glob}' matches '{moving}', a tag that moves: every push of it deploys; "
                "name the tags of releases, such as 'v*'",
            )


def _verification(environment: Environment, path: Path) -> Iterator[_Doubt]:
    judged = environment.verification
    if not judged.checks:
        yield (
            (*path, "checks"),
            "none, so a release counts as healthy once ECS and its load balancer say so; "
            "add a check of what users need",
        )
    elif not any(check.version_field for check in judged.checks):
        yield (
            (*path, "checks"),
            "none has a version_field, so an old task's answer counts for the new release",
        )
    if judged.alarms and judged.bake_seconds == 0:
        yield (
            (*path, "alarms"),
            "looked at once, since bake_seconds is 0; an alarm needs its evaluation periods to "
            "fire",
        )


def _migration(environment: Environment, path: Path) -> Iterator[_Doubt]:
    moves = environment.migration
    required = environment.backup.policy is BackupPolicy.REQUIRED
    if moves and moves.downgrade is None and not required:
        yield (
            (*path, "migration"),
            "no way back: there is no downgrade, and backup.policy does not require a snapshot",
        )
