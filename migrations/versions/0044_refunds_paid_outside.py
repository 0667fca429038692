"""What a bank sent back is withdrawn, or paid from our bank account; debts paid there likewise."""

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

OF_REFUNDS = ("withdrawn_principal_minor", "withdrawn_fee_minor", "paid_outside_minor")


def upgrade() -> None:
    for name in OF_REFUNDS:
        _add("refund", name)
    _add("receivable", "paid_back_minor")
    op.create_check_constraint(
        op.f("ck_refund_sent_back_in_range"),
        "refund",
        "withdrawn_principal_minor BETWEEN 0 AND principal_minor"
        " AND withdrawn_fee_minor BETWEEN 0 AND returned_fee_minor"
        " AND paid_outside_minor IN"
        " (0, amount_minor - withdrawn_principal_minor - withdrawn_fee_minor)"
        " AND (state = 'failed' OR"
        " withdrawn_principal_minor + withdrawn_fee_minor + paid_outside_minor = 0)",
    )
    op.create_check_constraint(
        op.f("ck_receivable_paid_back_in_range"),
        "receivable",
        "paid_back_minor BETWEEN 0"
        " AND greatest(lowered_minor + coalesce(paid_outside_minor, 0) - amount_minor, 0)",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_receivable_paid_back_in_range"), "receivable", type_="check")
    op.drop_constraint(op.f("ck_refund_sent_back_in_range"), "refund", type_="check")
    op.drop_column("receivable", "paid_back_minor")
    for name in reversed(OF_REFUNDS):
        op.drop_column("refund", name)


def _add(table: str, name: str) -> None:
    op.add_column(table, sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
