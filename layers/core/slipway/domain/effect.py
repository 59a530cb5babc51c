"""An effect: one call that changes something outside, from its intent to its end."""

from datetime import datetime
from typing import Final, Self

from slipway.domain.model import Model
from slipway.domain.start import Start
from slipway.domain.text import cut, storable

WORDS_KEPT: Final = 2000


def bounded_words(words: str) -> str:
    """Words of others as the record keeps them."""
    return cut(storable(words), WORDS_KEPT)


class Effect(Model):
    """A snapshot, a task, a revision, a rollout: requested, known by its handle, ended.

    ``handle`` is how the outside knows it (a snapshot's name, a task's or revision's ARN, a service
    deployment's id), ``put_off_by`` why it cannot begin for now. ``start`` counts the tries of a
    one-off task; it is None where an older Slipway started the task: then it may have run.
    ``leftover`` is the task whose command is over while other containers of it still run, until
    these were stopped. ``succeeded`` is None until it has ended.
    """

    requested_at: datetime
    handle: str | None = None
    put_off_by: str | None = None
    start: Start | None = None
    leftover: str | None = None
    ended_at: datetime | None = None
    succeeded: bool | None = None

    def known_as(self, handle: str) -> Self:
        """The effect once the outside has named it."""
        return self.model_copy(update={"handle": bounded_words(handle)})

    def put_off(self, words: str | None) -> Self:
        """The effect with the reason why it cannot begin; None when nothing is in its way."""
        return self.model_copy(
            update={"put_off_by": words if words is None else bounded_words(words)}
        )

    def starting(self, start: Start | None) -> Self:
        """The effect with what the tries of its task have proven."""
        return self.model_copy(update={"start": start})

    def ended(self, at: datetime, *, succeeded: bool) -> Self:
        """The effect once it is over."""
        return self.model_copy(update={"ended_at": at, "succeeded": succeeded})

    def leaving(self, task: str | None) -> Self:
        """The effect with the task that is still to be stopped; None once it was."""
        return self.model_copy(update={"leftover": task})

    @property
    def may_have_begun(self) -> bool:
        """Whether a task may have run: it was requested, and nothing proves the contrary."""
        return self.start is None or not self.start.nothing_began

    @property
    def may_be_at_work(self) -> bool:
        """Whether a task may be at work: it may have begun and was not seen to end."""
        return self.may_have_begun and self.ended_at is None
