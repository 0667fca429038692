"""Customers are told by letter that a debt stops their cards, and that a hold was charged."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0033"
branch_labels = None
depends_on = None

KINDS = (
    *("verify_email", "already_signed_up", "reset_password", "password_changed", "new_device"),
    *("change_email", "email_changed", "card_linked", "card_shown", "second_step"),
    *("purchase_approved", "purchase_declined", "purchase_refunded", "debt"),
    *("source_expiring", "action_needed", "staff_invitation"),
)
NEW_KINDS = ("cards_stopped", "cards_work_again", "hold_charged")


def upgrade() -> None:
    # First: while it looks through all mail, no purchase waits for a lock on its customer.
    _kinds_of_mail(*KINDS, *NEW_KINDS)
    column = sa.Column("debt_stop_told_at", sa.DateTime(timezone=True), nullable=True)
    op.add_column("customer", column)
    for name, of in (
        ("ix_customer_in_debt", "in_debt_since"),
        ("ix_customer_stop_told", "debt_stop_told_at"),
    ):
        op.create_index(name, "customer", [of], postgresql_where=sa.text(f"{of} IS NOT NULL"))


def downgrade() -> None:
    listed = ", ".join(f"'{kind}'" for kind in NEW_KINDS)
    op.execute(f"DELETE FROM mail WHERE kind IN ({listed})")  # noqa: S608  our own words
    _kinds_of_mail(*KINDS)
    op.drop_index("ix_customer_stop_told", "customer")
    op.drop_index("ix_customer_in_debt", "customer")
    op.drop_column("customer", "debt_stop_told_at")


def _kinds_of_mail(*kinds: str) -> None:
    op.drop_constraint(op.f("ck_mail_mailkind"), "mail", type_="check")
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.create_check_constraint(op.f("ck_mail_mailkind"), "mail", f"kind IN ({listed})")
