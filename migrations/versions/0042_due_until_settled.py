"""A purchase that a worker takes is due again until it is settled; its lease is not looked for."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

INDEX = "ix_card_authorization_leased_until"


def upgrade() -> None:
    op.execute(
        "UPDATE card_authorization SET settle_after = leased_until"
        " WHERE leased_until IS NOT NULL AND settle_after IS NULL"
    )
    op.drop_index(INDEX, "card_authorization")


def downgrade() -> None:
    op.create_index(
        INDEX,
        "card_authorization",
        ["leased_until"],
        postgresql_where=sa.text("leased_until IS NOT NULL"),
    )
