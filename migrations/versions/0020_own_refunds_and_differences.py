"""Refunds that staff give on their own, and the differences that reconciling finds."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0011"
branch_labels = None
depends_on = None

CODES = ", ".join(
    f"'{code}'"
    for code in (
        *("1010", "1020", "1030", "1040", "1100", "1150", "2000", "2100", "2200", "2300"),
        *("3000", "4000", "4010", "4100", "5000", "5010", "5020", "5030", "5100", "5110"),
    )
)
PURPOSES = ("unearned", "merchant_refund")


def upgrade() -> None:
    for name in ("covered_minor", "covers"):
        column = sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")
        op.add_column("refund", column)
    _check("refund", "covered_in_range", "covered_minor BETWEEN 0 AND principal_minor")
    _purposes((*PURPOSES, "goodwill"))
    _accounts(f"{CODES}, '5120'")


def downgrade() -> None:
    _accounts(CODES)
    _purposes(PURPOSES)
    op.drop_constraint(op.f("ck_refund_covered_in_range"), "refund")
    for name in ("covers", "covered_minor"):
        op.drop_column("refund", name)


def _purposes(known: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_refund_refundpurpose"), "refund")
    _check("refund", "refundpurpose", f"purpose IN {known}")


def _check(table: str, name: str, what: str) -> None:
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, what)


def _accounts(codes: str) -> None:
    op.drop_constraint(op.f("ck_journal_accounts_known"), "journal")
    known = f"debits <@ ARRAY[{codes}] AND credits <@ ARRAY[{codes}]"
    _check("journal", "accounts_known", known)
