"""The sweep finds purchases whose worker was killed: their lease has run out, and nobody has it."""

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0039"
branch_labels = None
depends_on = None

INDEX = "ix_card_authorization_leased_until"


def upgrade() -> None:
    op.create_index(
        INDEX,
        "card_authorization",
        ["leased_until"],
        postgresql_where=sa.text("leased_until IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index(INDEX, "card_authorization")
