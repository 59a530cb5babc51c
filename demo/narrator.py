"""How the demo speaks: a line per event with the time since the start, and a table at the end."""

import time
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from slipway.domain.deployment import Deployment

_COLUMN = 34


@dataclass(frozen=True)
class Check:
    """Something that was looked at in the world, and whether it is as it should be."""

    text: str
    holds: bool = True


@dataclass(frozen=True)
class Scene:
    """One row of the demo's table."""

    title: str
    deployment_id: str
    expected: str
    outcome: str
    seconds: float
    checks: tuple[Check, ...]

    @property
    def as_expected(self) -> bool:
        """Whether the scene ended as it should, and left the world as it should."""
        return self.outcome == self.expected and all(check.holds for check in self.checks)


class Narrator:
    """Tells what happens while it happens."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self._started = time.monotonic()

    def title(self, text: str) -> None:
        """A new scene."""
        self.console.print()
        self.console.rule(f"[bold]{escape(text)}", align="left")

    def say(self, text: str) -> None:
        """One line of the story."""
        elapsed = time.monotonic() - self._started
        self.console.print(f"[dim]{elapsed:6.1f} s[/]  {escape(text)}", soft_wrap=True)

    def hint(self, what: str, told: str) -> None:
        """An address or a command, and what it is; whole, so that it can be copied."""
        line = (
            f"  {escape(what)}\n      [dim]{escape(told)}[/]"
            if len(what) > _COLUMN
            else (f"  {escape(what):<{_COLUMN}}  {escape(told)}")
        )
        self.console.print(line, soft_wrap=True)

    def phase(self, deployment: Deployment) -> None:
        """Where a deployment stands now."""
        told = deployment.outcome or deployment.phase
        failure = deployment.failure or deployment.cause
        why = f": {failure.message}" if deployment.outcome and failure else ""
        self.say(f"{deployment.deployment_id:<28} {told}{why}")

    def table(self, scenes: list[Scene]) -> None:
        """All scenes, and whether each ended as it should."""
        table = Table(title="What happened", title_justify="left", show_lines=True)
        table.add_column("scene")
        table.add_column("outcome")
        table.add_column("seconds", justify="right")
        table.add_column("evidence")
        for scene in scenes:
            table.add_row(
                f"{scene.title}\n[dim]{scene.deployment_id}[/]",
                _coloured(scene),
                f"{scene.seconds:.1f}" if scene.seconds else "",
                "\n".join(_told(check) for check in scene.checks),
            )
        self.console.print()
        self.console.print(table)


def _told(check: Check) -> str:
    return escape(check.text) if check.holds else f"[red]{escape(check.text)}[/]"


def _coloured(scene: Scene) -> str:
    if scene.outcome == scene.expected:
        return f"[green]{escape(scene.outcome)}[/]"
    return f"[red]{escape(scene.outcome)}[/]\nexpected {escape(scene.expected)}"
