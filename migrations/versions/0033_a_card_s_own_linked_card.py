"""A virtual card can name the linked card that pays for it first."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

BEFORE = "ORDER BY is_default DESC, priority, id"
AFTER = (
    "ORDER BY id IS NOT DISTINCT FROM the_card.funding_source_id DESC,"
    " is_default DESC, priority, id"
)
PLACES = 2
# The one with a risk score; one from before it is kept for processes that still call it.
FUNCTIONS = """
SELECT pg_get_functiondef(oid) FROM pg_proc
 WHERE proname = 'record_authorization_request' AND 'asked_risk' = ANY (proargnames)
"""


def upgrade() -> None:
    op.add_column("card", sa.Column("funding_source_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_card_funding_source_id_funding_source"),
        "card",
        "funding_source",
        ["funding_source_id"],
        ["id"],
    )
    _reorder(BEFORE, AFTER)


def downgrade() -> None:
    _reorder(AFTER, BEFORE)
    op.drop_column("card", "funding_source_id")


def _reorder(before: str, after: str) -> None:
    """Have the decision's function try the linked cards in another order."""
    defined = op.get_bind().scalars(sa.text(FUNCTIONS)).one()
    assert defined.count(before) == PLACES
    op.get_bind().exec_driver_sql(defined.replace(before, after))
