"""Profit by size is summed anew: what was taken without asking has a size now, too."""

from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Whoever follows the journals holds the mark; the next one begins at the first of them.
    op.execute("UPDATE rollup_mark SET until_transaction = 0 WHERE name = 'profit_day'")
    op.execute("DELETE FROM profit_day")


def downgrade() -> None:
    """Make them anew by the older definition."""
    upgrade()
