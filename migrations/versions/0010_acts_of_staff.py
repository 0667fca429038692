"""What staff do: orders to Stripe about cards, replacements, and forms that act once."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0010"
down_revision = "0012"
branch_labels = None
depends_on = None

KINDS = ("card", "cardholder", "replacement")


def upgrade() -> None:
    _widen_cards()
    _make_mirror_orders()
    _create(
        "submission",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
    )
    op.create_index("ix_submission_created_at", "submission", ["created_at"])


def downgrade() -> None:
    op.drop_table("submission")
    op.drop_table("mirror_order")
    op.drop_column("card", "replaces_id")
    op.drop_column("card", "frozen_by")


def _widen_cards() -> None:
    op.add_column("card", sa.Column("frozen_by", sa.Text(), nullable=True))
    op.add_column("card", sa.Column("replaces_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_card_replaces_id_card"), "card", "card", ["replaces_id"], ["id"])
    op.create_unique_constraint(op.f("uq_card_replaces_id"), "card", ["replaces_id"])
    op.execute("UPDATE card SET frozen_by = 'system' WHERE state = 'frozen'")


def _make_mirror_orders() -> None:
    known = ", ".join(f"'{kind}'" for kind in KINDS)
    _create(
        "mirror_order",
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("wanted", JSONB(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.CheckConstraint(f"kind IN ({known})", name=op.f("ck_mirror_order_mirrorkind")),
    )
    op.create_index("ix_mirror_order_subject", "mirror_order", ["subject_id", "created_at"])
    op.create_index(
        "ix_mirror_order_waiting",
        "mirror_order",
        ["next_at"],
        postgresql_where="sent_at IS NULL",
    )
    op.create_index(
        "ix_mirror_order_replacement",
        "mirror_order",
        ["subject_id"],
        unique=True,
        postgresql_where="kind = 'replacement'",
    )


def _create(table: str, *columns: sa.Column | sa.Constraint) -> None:
    op.create_table(
        table,
        *columns,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
