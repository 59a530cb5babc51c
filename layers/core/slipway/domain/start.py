"""The start of a one-off task: what its tries prove, and what they leave open.

A lost response to RunTask leaves open whether the task runs. A later refusal says nothing about an
earlier try, so only a start with no unanswered try is known to have begun nothing.
"""

from datetime import datetime
from typing import Self

from slipway.domain.errors import Reason
from slipway.domain.model import Model


class Start(Model):
    """How often a start was requested, and the answers.

    ``unanswered`` counts the tries whose answer is not on record: each may have started the task.
    ``refusals`` counts how often every try before had been refused; ``put_off_by`` is what ECS said
    last, ``refused_as`` why it refuses the task for good. ``at`` is when the task was placed, and
    ``never`` says that its command has not begun and will not.
    """

    unanswered: int = 0
    refusals: int = 0
    put_off_by: str = ""
    refused_as: Reason | None = None
    at: datetime | None = None
    never: bool = False

    def tried(self) -> Self:
        """One more try: from now on a task may have been started."""
        return self.model_copy(update={"unanswered": self.unanswered + 1})

    def refused(self, words: str, for_good_as: Reason | None) -> Self:
        """ECS has answered a try with these words, and has started nothing for it."""
        unanswered = self.unanswered - 1
        clear = unanswered == 0
        return self.model_copy(
            update={
                "unanswered": unanswered,
                "refusals": self.refusals + clear,
                "put_off_by": words,
                "refused_as": for_good_as,
                "never": clear and for_good_as is not None,
            }
        )

    def placed(self, now: datetime) -> Self:
        """ECS has placed the task."""
        return self.model_copy(update={"at": now})

    def given_up(self) -> Self:
        """The command has not begun, and it is not started again."""
        return self.model_copy(update={"never": True})

    @property
    def nothing_began(self) -> bool:
        """Whether it is certain that no task of this start has run so far."""
        return self.never or (self.at is None and self.unanswered == 0)
