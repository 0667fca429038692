"""Cards and events: the tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = (
    "card",
    "card_authorization",
    "authorization_request",
    "card_transaction",
    "inbound_event",
)


def upgrade() -> None:
    op.create_table(
        "card",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("stripe_card_id", sa.Text(), nullable=False),
        sa.Column("nickname", sa.Text(), nullable=False),
        sa.Column("last4", sa.Text(), nullable=False),
        sa.Column("exp_month", sa.BigInteger(), nullable=False),
        sa.Column("exp_year", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "inactive",
                "active",
                "frozen",
                "closed",
                name="cardstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "currency",
            sa.Enum("usd", name="currency", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("daily_limit_minor", sa.BigInteger(), nullable=False),
        sa.Column("monthly_limit_minor", sa.BigInteger(), nullable=False),
        sa.Column("purchase_limit_minor", sa.BigInteger(), nullable=True),
        sa.Column("allowed_categories", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("blocked_categories", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("allowed_countries", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("blocked_countries", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("merchant_lock", sa.Text(), nullable=True),
        sa.Column("single_use", sa.Boolean(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.CheckConstraint(
            "daily_limit_minor >= 0 AND monthly_limit_minor >= 0"
            " AND coalesce(purchase_limit_minor, 0) >= 0",
            name=op.f("ck_card_limits_positive"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_card_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card")),
        sa.UniqueConstraint("stripe_card_id", name=op.f("uq_card_stripe_card_id")),
    )
    op.create_index("ix_card_customer", "card", ["customer_id"], unique=False)
    op.create_index("ix_card_last4", "card", ["last4"], unique=False)
    op.create_index(
        "ix_card_active",
        "card",
        ["customer_id"],
        unique=False,
        postgresql_where="state = 'active'",
    )
    op.create_table(
        "card_authorization",
        sa.Column("stripe_authorization_id", sa.Text(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=True),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "closed",
                "reversed",
                "expired",
                name="authorizationstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("approved", sa.Boolean(), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("merchant_name", sa.Text(), nullable=False),
        sa.Column("merchant_category", sa.Text(), nullable=False),
        sa.Column("merchant_country", sa.Text(), nullable=True),
        sa.Column("merchant_city", sa.Text(), nullable=True),
        sa.Column("merchant_network_id", sa.Text(), nullable=True),
        sa.Column("not_handled", sa.Text(), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.id"], name=op.f("fk_card_authorization_card_id_card")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
            name=op.f("fk_card_authorization_customer_id_customer"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_authorization")),
        sa.UniqueConstraint(
            "stripe_authorization_id", name=op.f("uq_card_authorization_stripe_authorization_id")
        ),
    )
    op.create_index(
        "ix_card_authorization_card", "card_authorization", ["card_id", "created_at"], unique=False
    )
    op.create_index(
        "ix_card_authorization_created_at", "card_authorization", ["created_at"], unique=False
    )
    op.create_index(
        "ix_card_authorization_customer",
        "card_authorization",
        ["customer_id", "created_at"],
        unique=False,
    )
    op.create_index(
        "ix_card_authorization_merchant", "card_authorization", ["merchant_name"], unique=False
    )
    op.create_index(
        "ix_card_authorization_not_handled",
        "card_authorization",
        ["created_at"],
        unique=False,
        postgresql_where="not_handled IS NOT NULL",
    )
    op.create_table(
        "authorization_request",
        sa.Column("authorization_id", sa.Uuid(), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=True),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("ordinal", sa.BigInteger(), nullable=False),
        sa.Column("stripe_event_id", sa.Text(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("approved_before_minor", sa.BigInteger(), nullable=False),
        sa.Column("reserved_minor", sa.BigInteger(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("price_plan_id", sa.Uuid(), nullable=True),
        sa.Column(
            "funding_mode",
            sa.Enum(
                "hold",
                "charge",
                name="fundingmode",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("funding_source_ids", sa.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "deciding",
                "approved",
                "declined",
                name="requeststate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "reason",
            sa.Enum(
                "unreadable_request",
                "conflicting_request",
                "unknown_card",
                "card_inactive",
                "card_frozen",
                "card_closed",
                "customer_not_active",
                "refund_request",
                "wrong_currency",
                "amount_out_of_range",
                "own_descriptor",
                "single_use_spent",
                "locked_to_merchant",
                "category_not_allowed",
                "country_not_allowed",
                "over_purchase_limit",
                "over_daily_limit",
                "over_monthly_limit",
                "over_exposure_limit",
                "no_funding_source",
                "no_price_plan",
                "bank_declined",
                "bank_insufficient_funds",
                "bank_card_lost_or_stolen",
                "bank_card_expired",
                "bank_incorrect_cvc",
                "bank_processing_error",
                "bank_card_velocity_exceeded",
                "bank_suspects_fraud",
                "bank_authentication_required",
                "funding_outcome_unknown",
                "funding_request_refused",
                "funding_rate_limited",
                "too_slow",
                "too_busy",
                "our_error",
                "stripe_declined",
                name="declinereason",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("step_ms", JSONB(), nullable=False),
        sa.Column("stripe_approved", sa.Boolean(), nullable=True),
        sa.Column("stripe_reason", sa.Text(), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verify_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.CheckConstraint(
            "reserved_minor >= 0", name=op.f("ck_authorization_request_reserved_positive")
        ),
        sa.ForeignKeyConstraint(
            ["authorization_id"],
            ["card_authorization.id"],
            name=op.f("fk_authorization_request_authorization_id_card_authorization"),
        ),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.id"], name=op.f("fk_authorization_request_card_id_card")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customer.id"],
            name=op.f("fk_authorization_request_customer_id_customer"),
        ),
        sa.ForeignKeyConstraint(
            ["price_plan_id"],
            ["price_plan.id"],
            name=op.f("fk_authorization_request_price_plan_id_price_plan"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_authorization_request")),
        sa.UniqueConstraint(
            "stripe_event_id", name=op.f("uq_authorization_request_stripe_event_id")
        ),
    )
    op.create_index(
        "ix_authorization_request_card",
        "authorization_request",
        ["card_id", "requested_at"],
        unique=False,
    )
    op.create_index(
        "ix_authorization_request_declines",
        "authorization_request",
        ["requested_at", "reason"],
        unique=False,
        postgresql_where="reason IS NOT NULL",
    )
    op.create_index(
        "ix_authorization_request_open",
        "authorization_request",
        ["customer_id"],
        unique=False,
        postgresql_where="open AND reserved_minor > 0",
    )
    op.create_index(
        "ix_authorization_request_ordinal",
        "authorization_request",
        ["authorization_id", "ordinal"],
        unique=True,
    )
    op.create_index(
        "ix_authorization_request_requested_at",
        "authorization_request",
        ["requested_at"],
        unique=False,
    )
    op.create_index(
        "ix_authorization_request_unverified",
        "authorization_request",
        ["verify_after"],
        unique=False,
        postgresql_where="verified_at IS NULL",
    )
    op.create_table(
        "card_transaction",
        sa.Column("stripe_transaction_id", sa.Text(), nullable=False),
        sa.Column("authorization_id", sa.Uuid(), nullable=True),
        sa.Column("card_id", sa.Uuid(), nullable=True),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "capture",
                "refund",
                name="transactionkind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("merchant_name", sa.Text(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("not_handled", sa.Text(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["authorization_id"],
            ["card_authorization.id"],
            name=op.f("fk_card_transaction_authorization_id_card_authorization"),
        ),
        sa.ForeignKeyConstraint(
            ["card_id"], ["card.id"], name=op.f("fk_card_transaction_card_id_card")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_card_transaction_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_transaction")),
        sa.UniqueConstraint(
            "stripe_transaction_id", name=op.f("uq_card_transaction_stripe_transaction_id")
        ),
    )
    op.create_index(
        "ix_card_transaction_authorization", "card_transaction", ["authorization_id"], unique=False
    )
    op.create_index(
        "ix_card_transaction_card", "card_transaction", ["card_id", "occurred_at"], unique=False
    )
    op.create_index(
        "ix_card_transaction_occurred_at", "card_transaction", ["occurred_at"], unique=False
    )
    op.create_table(
        "inbound_event",
        sa.Column("stripe_event_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("payload", JSONB(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "received",
                "done",
                "ignored",
                "failed",
                name="eventstate",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_event")),
        sa.UniqueConstraint("stripe_event_id", name=op.f("uq_inbound_event_stripe_event_id")),
    )
    op.create_index("ix_inbound_event_created_at", "inbound_event", ["created_at"], unique=False)
    op.create_index("ix_inbound_event_object", "inbound_event", ["object_id"], unique=False)
    op.create_index(
        "ix_inbound_event_failed",
        "inbound_event",
        ["created_at"],
        unique=False,
        postgresql_where="state = 'failed'",
    )
    op.create_index(
        "ix_inbound_event_waiting",
        "inbound_event",
        ["created_at"],
        unique=False,
        postgresql_where="state = 'received'",
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
