"""What every command of the operator works with: records, registry, catalog, clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from slipway.domain.catalog import Catalog
from slipway.domain.errors import ControlPlaneError
from slipway.domain.lane import Lane
from slipway.domain.text import plain
from slipway.journal import Journal
from slipway.ports.control import Announcements, Executions
from slipway.ports.records import Records
from slipway.ports.registry import ImageRegistry

# Together with a name of 100 characters this fits into a request.
_ARN_KEPT: Final = 190


class Refusal(Exception):
    """A command was not carried out; the message is one sentence for the operator."""


class Place(NamedTuple):
    """A lane, as the operator names it."""

    application: str
    environment: str

    def __str__(self) -> str:
        return f"{self.application}/{self.environment}"


@dataclass(frozen=True)
class Desk:
    """A deployed Slipway; the catalog is read only by commands that need it."""

    records: Records
    registry: ImageRegistry
    executions: Executions
    announcements: Announcements
    caller: Callable[[], str]
    catalog: Callable[[], Catalog]
    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    new_id: Callable[[], str]

    def recorded_name(self, name: str | None) -> str:
        """Who is recorded: the given name, and the AWS identity, which cannot be made up.

        Refusal when neither is known.
        """
        try:
            caller = plain(self.caller(), _ARN_KEPT)
        except ControlPlaneError as error:
            if name is None:
                raise Refusal(
                    f"Your AWS identity is not available ({error.message}); use --by NAME."
                ) from error
            return name
        return caller if name is None else f"{name} ({caller})"

    def journal(self) -> Journal:
        """The records, and the current time."""
        return Journal(self.records, self.now())

    def lane(self, place: Place) -> Lane:
        """A lane that was used before or is in the catalog; else Refusal."""
        lane = self.records.lane(*place)
        if lane.version == 0:
            self.refuse_unknown(*place)
        return lane

    def refuse_unknown(self, application: str, environment: str | None) -> None:
        """Raise Refusal for a lane that is not in the catalog, with the names that are."""
        known = self.catalog().applications
        if application not in known:
            names = ", ".join(known) or "none"
            raise Refusal(f"The catalog has no application '{application}' (known: {names}).")
        environments = known[application].environments
        if environment is not None and environment not in environments:
            names = ", ".join(environments)
            raise Refusal(f"The catalog has no {application}/{environment} (known: {names}).")
