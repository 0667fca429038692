"""A debt may be paid to our bank account, outside Stripe."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

STATES = ("open", "settled", "collected", "written_off", "recovered")


def upgrade() -> None:
    _states(*STATES, "paid_outside")
    op.add_column("receivable", sa.Column("paid_outside_minor", sa.BigInteger(), nullable=True))
    op.create_check_constraint(
        op.f("ck_receivable_paid_outside"),
        "receivable",
        "(state = 'paid_outside') = (paid_outside_minor IS NOT NULL)"
        " AND paid_outside_minor BETWEEN 1 AND amount_minor",
    )


def downgrade() -> None:
    """Refuse while there is such a debt: no other state says what the books have for it."""
    op.drop_constraint(op.f("ck_receivable_paid_outside"), "receivable", type_="check")
    op.drop_column("receivable", "paid_outside_minor")
    _states(*STATES)


def _states(*states: str) -> None:
    name = op.f("ck_receivable_receivablestate")
    op.drop_constraint(name, "receivable", type_="check")
    listed = ", ".join(f"'{state}'" for state in states)
    op.create_check_constraint(name, "receivable", f"state IN ({listed})")
