"""Letters about purchases, each once; the second step of a sign-in; customers' own lists."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0010"
branch_labels = None
depends_on = None

KINDS_BEFORE = (
    *("verify_email", "already_signed_up", "reset_password", "password_changed", "new_device"),
    *("change_email", "email_changed", "card_linked", "card_shown"),
)
NEW_KINDS = (
    *("second_step", "purchase_approved", "purchase_declined", "purchase_refunded", "debt"),
    *("source_expiring", "action_needed"),
)


def upgrade() -> None:
    op.add_column("mail", sa.Column("about", sa.Text(), nullable=True))
    op.create_unique_constraint(op.f("uq_mail_about"), "mail", ["about"])
    _kinds((*KINDS_BEFORE, *NEW_KINDS))
    op.add_column(
        "credential",
        sa.Column("mail_off", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
    )
    op.add_column(
        "customer_session",
        sa.Column("half", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    _create(
        "second_step",
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("credential_id", name=op.f("uq_second_step_credential_id")),
    )
    _create(
        "customer_recovery_code",
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_index(
        "ix_customer_recovery_code_credential", "customer_recovery_code", ["credential_id"]
    )
    op.drop_index("ix_card_authorization_customer", "card_authorization")
    op.create_index(
        "ix_card_authorization_customer",
        "card_authorization",
        ["customer_id", "occurred_at", "id"],
    )
    op.create_index(
        "ix_card_transaction_customer", "card_transaction", ["customer_id", "occurred_at"]
    )


def downgrade() -> None:
    op.drop_index("ix_card_transaction_customer", "card_transaction")
    op.drop_index("ix_card_authorization_customer", "card_authorization")
    op.create_index(
        "ix_card_authorization_customer", "card_authorization", ["customer_id", "created_at"]
    )
    op.drop_table("customer_recovery_code")
    op.drop_table("second_step")
    op.drop_column("customer_session", "half")
    op.drop_column("credential", "mail_off")
    listed = ", ".join(f"'{kind}'" for kind in NEW_KINDS)
    op.execute(f"DELETE FROM mail WHERE kind IN ({listed})")  # noqa: S608  words of ours
    _kinds(KINDS_BEFORE)
    op.drop_constraint(op.f("uq_mail_about"), "mail", type_="unique")
    op.drop_column("mail", "about")


def _kinds(kinds: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_mail_mailkind"), "mail", type_="check")
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.create_check_constraint(op.f("ck_mail_mailkind"), "mail", f"kind IN ({listed})")


def _create(table: str, *parts: sa.Column | sa.Constraint) -> None:
    op.create_table(
        table,
        sa.Column("credential_id", sa.Uuid(), nullable=False),
        *parts,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["credential_id"], ["credential.id"], name=op.f(f"fk_{table}_credential_id_credential")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
