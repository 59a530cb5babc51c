"""Add who wrote a note; nullable, so that version 1 keeps inserting without it."""

import sqlalchemy as sa
from alembic import op

revision = "0002_author"
down_revision = "0001_notes"


def upgrade() -> None:
    op.add_column("notes", sa.Column("author", sa.Text, nullable=True))


def downgrade() -> None:
    op.drop_column("notes", "author")
