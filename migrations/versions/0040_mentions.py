"""Members of staff are told by letter that a note mentions them."""

from alembic import op

revision = "0040"
down_revision = "0037"
branch_labels = None
depends_on = None

KINDS = (
    *("verify_email", "already_signed_up", "reset_password", "password_changed", "new_device"),
    *("change_email", "email_changed", "card_linked", "card_shown", "second_step"),
    *("purchase_approved", "purchase_declined", "purchase_refunded", "debt"),
    *("source_expiring", "action_needed", "staff_invitation"),
    *("cards_stopped", "cards_work_again", "hold_charged"),
)


def upgrade() -> None:
    _kinds_of_mail(*KINDS, "mentioned")


def downgrade() -> None:
    op.execute("DELETE FROM mail WHERE kind = 'mentioned'")
    _kinds_of_mail(*KINDS)


def _kinds_of_mail(*kinds: str) -> None:
    op.drop_constraint(op.f("ck_mail_mailkind"), "mail", type_="check")
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.create_check_constraint(op.f("ck_mail_mailkind"), "mail", f"kind IN ({listed})")
