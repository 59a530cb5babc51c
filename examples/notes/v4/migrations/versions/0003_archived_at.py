"""Add when a note was archived."""

import sqlalchemy as sa
from alembic import op

revision = "0003_archived_at"
down_revision = "0002_author"


def upgrade() -> None:
    op.add_column("notes", sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("notes", "archived_at")
