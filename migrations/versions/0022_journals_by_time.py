"""Journals are read newest first without sorting all of them: an index in their order."""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

INDEX = "ix_journal_occurred_at"


def upgrade() -> None:
    op.drop_index(INDEX, "journal")
    op.create_index(INDEX, "journal", ["occurred_at"])


def downgrade() -> None:
    op.drop_index(INDEX, "journal")
    op.create_index(
        INDEX,
        "journal",
        ["occurred_at"],
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on"},
    )
