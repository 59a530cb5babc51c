"""Which schema a lane's database is at, and whether one schema came before another.

A label only names a schema. What is older is known from what was live on the lane, or from names
that begin with a number or a timestamp; of any other name it is not known.
"""

import re
from typing import Final, Self

from slipway.domain.model import Model

_KEPT: Final = 50
# 0002_author, 20260101120000-init; and Flyway's V2__author.
_NUMBER: Final = re.compile(r"([0-9]{3,20})(?:[_.-]|$)")
_FLYWAY: Final = re.compile(r"[Vv]([0-9]{1,20})(?:__|$)")
# Alembic names a schema by twelve hex digits, which may all be decimal ones.
_HASH: Final = re.compile(r"(?!20)[0-9]{12}")


class SchemaHistory(Model):
    """The schemas that were live on a lane, newest first, and those left by a downgrade."""

    live: tuple[str, ...] = ()
    undone: tuple[str, ...] = ()

    def reaching(self, schema: str | None) -> Self:
        """The history once a release is live on this schema; going back to one undoes the later."""
        if schema is None:
            return self
        known = self.live.index(schema) if schema in self.live else None
        if known is None:
            live, undone = (schema, *self.live), self.undone
        else:
            live, undone = self.live[known:], (*self.live[:known], *self.undone)
        left = tuple(name for name in dict.fromkeys(undone) if name != schema)
        return self.model_copy(update={"live": live[:_KEPT], "undone": left[:_KEPT]})

    def older(self, schema: str | None, than: str | None, *, proven: bool) -> bool:
        """Whether ``schema`` is known to come before ``than``.

        ``proven`` says that a release of that schema succeeded before the one that is live: where
        nothing else tells, its schema came before as well, unless it was downgraded since.
        """
        if schema is None or than is None or schema == than:
            return False
        if schema in self.live and than in self.live:
            return self.live.index(schema) > self.live.index(than)
        for pattern in (_NUMBER, _FLYWAY):
            numbers = _number(pattern, schema), _number(pattern, than)
            if None not in numbers and numbers[0] != numbers[1]:
                return (numbers[0] or 0) < (numbers[1] or 0)
        return proven and schema not in self.undone


def _number(pattern: re.Pattern[str], schema: str) -> int | None:
    found = None if _HASH.fullmatch(schema) else pattern.match(schema)
    return int(found[1]) if found else None
