"""The back office: profit by what it came from, notes, who has taken what, and look-ups."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0013"
branch_labels = None
depends_on = None

TABLES = ("profit_day", "customer_note", "taken_work")
INDEXES = (
    ("ix_authorization_request_amount", "authorization_request", ["amount_minor"]),
    ("ix_charge_amount", "charge", ["amount_minor"]),
    ("ix_charge_captured", "charge", ["captured_minor"]),
    ("ix_charge_stripe_charge", "charge", ["stripe_charge_id"]),
    ("ix_charge_source", "charge", ["funding_source_id"]),
    ("ix_refund_amount", "refund", ["amount_minor"]),
    ("ix_refund_customer", "refund", ["customer_id", "created_at"]),
    ("ix_card_transaction_amount", "card_transaction", ["amount_minor"]),
    ("ix_funding_source_last4", "funding_source", ["last4"]),
)
MERCHANT = "ix_card_authorization_merchant"
# None of these is of use on the many rows that have no such id, or have not been captured.
WHERE = {
    "ix_charge_captured": "captured_minor > 0",
    "ix_charge_stripe_charge": "stripe_charge_id IS NOT NULL",
    "ix_charge_source": "funding_source_id IS NOT NULL",
}


def upgrade() -> None:
    _make_profit_days()
    _make_notes()
    _make_taken_work()
    for name, table, columns in INDEXES:
        op.create_index(name, table, columns, postgresql_where=_where(name))
    op.drop_index(MERCHANT, "card_authorization")
    op.create_index(MERCHANT, "card_authorization", ["merchant_name", "created_at"])
    op.create_index(
        "ix_mail_failed", "mail", ["created_at"], postgresql_where=sa.text("state = 'failed'")
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON customer_note"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_index("ix_mail_failed", "mail")
    op.drop_index(MERCHANT, "card_authorization")
    op.create_index(MERCHANT, "card_authorization", ["merchant_name"])
    for name, table, _ in reversed(INDEXES):
        op.drop_index(name, table)
    for table in reversed(TABLES):
        op.drop_table(table)


def _where(name: str) -> sa.TextClause | None:
    return sa.text(WHERE[name]) if name in WHERE else None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _made_at() -> sa.Column[object]:
    return sa.Column(
        "created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
    )


def _make_profit_days() -> None:
    op.create_table(
        "profit_day",
        sa.Column("day", sa.Date(), nullable=False),
        _text("trait"),
        _text("key"),
        _text("account"),
        sa.Column("net_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", "trait", "key", "account", name=op.f("pk_profit_day")),
    )


def _make_notes() -> None:
    op.create_table(
        "customer_note",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        _text("text"),
        sa.Column("id", sa.Uuid(), nullable=False),
        _made_at(),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_customer_note_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_customer_note_staff_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer_note")),
    )
    op.create_index("ix_customer_note_customer", "customer_note", ["customer_id", "created_at"])


def _make_taken_work() -> None:
    op.create_table(
        "taken_work",
        _text("queue"),
        _text("key"),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        _made_at(),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff.id"], name=op.f("fk_taken_work_staff_id_staff")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_taken_work")),
    )
    op.create_index("ix_taken_work_item", "taken_work", ["queue", "key"], unique=True)
