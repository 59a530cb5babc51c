"""Add whether a note is pinned; nullable, so that version 2 keeps inserting without it."""

import sqlalchemy as sa
from alembic import op

revision = "0003_pinned"
down_revision = "0002_author"


def upgrade() -> None:
    op.add_column("notes", sa.Column("pinned", sa.Boolean, nullable=True))


def downgrade() -> None:
    op.drop_column("notes", "pinned")
