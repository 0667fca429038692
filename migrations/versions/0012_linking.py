"""Linking real cards: the consent to be charged, and what came of it."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0009"
branch_labels = None
depends_on = None

STATES = ("started", "linked", "refused")
KINDS_BEFORE = (
    *("verify_email", "already_signed_up", "reset_password", "password_changed", "new_device"),
    *("change_email", "email_changed"),
)
KINDS = (*KINDS_BEFORE, "card_linked", "card_shown")


def upgrade() -> None:
    op.add_column(
        "funding_source", sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_table(
        "card_linking",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("consented_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("user_agent", sa.Text(), nullable=False),
        sa.Column("confirms_id", sa.Uuid(), nullable=True),
        sa.Column("stripe_setup_intent_id", sa.Text(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                *STATES, name="linkingstate", native_enum=False, create_constraint=True, length=40
            ),
            nullable=False,
        ),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.Column("funding_source_id", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.CheckConstraint("failures >= 0", name=op.f("ck_card_linking_failures_positive")),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{target}.id"], name=op.f(f"fk_card_linking_{column}_{target}")
            )
            for column, target in (
                ("customer_id", "customer"),
                ("agreement_id", "agreement"),
                ("confirms_id", "funding_source"),
                ("funding_source_id", "funding_source"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_linking")),
        sa.UniqueConstraint(
            "stripe_setup_intent_id", name=op.f("uq_card_linking_stripe_setup_intent_id")
        ),
    )
    op.create_index("ix_card_linking_customer", "card_linking", ["customer_id", "created_at"])
    _kinds(KINDS)


def downgrade() -> None:
    op.execute("DELETE FROM mail WHERE kind IN ('card_linked', 'card_shown')")
    _kinds(KINDS_BEFORE)
    op.drop_table("card_linking")
    op.drop_column("funding_source", "confirmed_at")


def _kinds(kinds: tuple[str, ...]) -> None:
    op.drop_constraint(op.f("ck_mail_mailkind"), "mail", type_="check")
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    op.create_check_constraint(op.f("ck_mail_mailkind"), "mail", f"kind IN ({listed})")
