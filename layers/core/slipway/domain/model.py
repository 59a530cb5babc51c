"""How every stored or exchanged value behaves: immutable, and strict about its fields.

A method that returns a changed copy is named for what then holds: ``notice.claimed(state)``,
``deployment.at(phase)``. Nothing is written by it; only the journal and the outbox write.
"""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """An immutable value that refuses fields it does not know."""

    # A message about a malformed request must not show what was in it, such as a task token.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Versioned(Model):
    """A stored document, written only over the version it was read at (0 = never stored)."""

    version: int = 0
