"""Members of staff are invited: a letter's link lets them choose a password of their own."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0022"
branch_labels = None
depends_on = None

KINDS = (
    *("verify_email", "already_signed_up", "reset_password", "password_changed", "new_device"),
    *("change_email", "email_changed", "card_linked", "card_shown", "second_step"),
    *("purchase_approved", "purchase_declined", "purchase_refunded", "debt"),
    *("source_expiring", "action_needed"),
)


def upgrade() -> None:
    op.alter_column("staff", "password_hash", nullable=True)
    table = "staff_invitation"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f(f"fk_{table}_staff_id_staff")
        ),
        sa.UniqueConstraint("token_hash", name=op.f(f"uq_{table}_token_hash")),
    )
    op.create_index(f"ix_{table}_staff_id", table, ["staff_id"])
    _kinds_of_mail(*KINDS, "staff_invitation")


def downgrade() -> None:
    op.execute("DELETE FROM mail WHERE kind = 'staff_invitation'")
    _kinds_of_mail(*KINDS)
    op.drop_table("staff_invitation")
    # Nobody's password is this, which is no hash.
    op.execute("UPDATE staff SET password_hash = '' WHERE password_hash IS NULL")
    op.alter_column("staff", "password_hash", nullable=False)


def _kinds_of_mail(*kinds: str) -> None:
    op.drop_constraint(op.f("ck_mail_mailkind"), "mail", type_="check")
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.create_check_constraint(op.f("ck_mail_mailkind"), "mail", f"kind IN ({listed})")
