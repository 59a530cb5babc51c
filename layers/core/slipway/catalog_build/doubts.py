"""Warnings: what a catalog may contain but rarely means; it is compiled all the same."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Final

from slipway.catalog_build.document import Document
from slipway.catalog_build.mistakes import Mistake, Path
from slipway.catalog_build.suggestions import channel, looks_like_a_host
from slipway.domain.catalog import Application, BackupPolicy, Environment

_Doubt = tuple[Path, str]
# Tags that usually move to every new image; each move is a push event in ECR.
_MOVING: Final = ("latest", "main", "master", "stable", "edge", "nightly")
_CHANNEL: Final = re.compile(r"#[a-z0-9_-]{1,80}|[CGD][A-Z0-9]{8,20}")


def doubts(entry: Application, found: Document) -> list[Mistake]:
    """Every warning about an entry, by line."""
    warnings = [
        Mistake(found.place(path), path, sentence)
        for name, environment in entry.environments.items()
        for path, sentence in _about(environment, ("environments", name))
    ]
    return sorted(warnings, key=lambda one: (one.place.line, one.place.column, one.sentence))


def _about(environment: Environment, path: Path) -> Iterator[_Doubt]:
    yield from _pushes(environment, (*path, "push"))
    yield from _verification(environment, (*path, "verification"))
    yield from _migration(environment, path)
    named = environment.notifications.slack_channel
    if named and not _CHANNEL.fullmatch(named):
        yield (
            (*path, "notifications", "slack_channel"),
            f"expected '#' and a name, or a channel ID such as C0123456789, got '{named}'; "
            f"did you mean '{channel(named)}'?",
        )


def _pushes(environment: Environment, path: Path) -> Iterator[_Doubt]:
    push = environment.push
    if push is None:
        return
    if looks_like_a_host(push.repository):
        sentence = f"'{push.repository}' begins like a registry's address; expected only the name"
        yield (*path, "repository"), sentence
    for index, glob in enumerate(push.tags):
        moving = next((tag for tag in _MOVING if fnmatchcase(tag, glob)), None)
        if moving:
            yield (
                (*path, "tags", index),
                f"'{glob}' matches '{moving}', a tag that moves, so every push to it is deployed; "
                "list the tags of releases, such as 'v*'",
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
            "checked only once, because bake_seconds is 0; an alarm needs its evaluation periods "
            "to fire",
        )


def _migration(environment: Environment, path: Path) -> Iterator[_Doubt]:
    moves = environment.migration
    required = environment.backup.policy is BackupPolicy.REQUIRED
    if moves and moves.downgrade is None and not required:
        yield (
            (*path, "migration"),
            "cannot be undone: there is no downgrade, and backup.policy requires no snapshot",
        )
