"""The books: journals that nobody can change, and what settlement needs to fill them.

A decision writes its journal in the statement that writes its answer.
"""

from datetime import datetime

import sqlalchemy as sa
from alembic import context, op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

APPEND_ONLY = ("journal", "seal")
CODES = ", ".join(
    f"'{code}'"
    for code in (
        *("1010", "1020", "1030", "1040", "1100", "1150", "2000", "2100", "2200", "2300"),
        *("3000", "4000", "4010", "4100", "5000", "5010", "5020", "5030", "5100", "5110"),
    )
)

POSTINGS = """
CREATE VIEW posting AS
SELECT reference, place, rule, occurred_at, purchase_id, customer_id, currency, layer,
       debit, credit, amount_minor
  FROM journal, unnest(debits, credits, amounts, layers)
       WITH ORDINALITY AS leg (debit, credit, amount_minor, layer, place)
"""

WRITE = """
CREATE FUNCTION write_authorization_decision(
    request uuid, answer text, why text, at timestamptz, approved bigint, fee bigint,
    steps text, facts text, verdicts text, charges text, journals text)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    asked record;
BEGIN
    UPDATE authorization_request
       SET state = answer, reason = why, decided_at = at, approved_minor = approved,
           reserved_minor = greatest(approved, 0), fee_minor = fee, step_ms = steps::jsonb
     WHERE id = request AND state = 'deciding'
    RETURNING id, customer_id, authorization_id, currency, funding_mode INTO asked;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO flight_record (request_id, facts, verdicts)
    VALUES (request, facts::json, verdicts::json);
    IF charges <> '[]' THEN
        INSERT INTO charge (
            id, customer_id, funding_source_id, purchase_id, request_id, mode, attempt,
            idempotency_key, amount_minor, principal_minor, captured_minor,
            captured_principal_minor, refunded_minor, currency, state, decline_code,
            advice_code, capture_before, stripe_payment_intent_id, stripe_charge_id)
        SELECT made.id, asked.customer_id, made.funding_source_id, asked.authorization_id,
               asked.id, asked.funding_mode, made.attempt, made.idempotency_key,
               made.amount_minor, made.principal_minor,
               CASE made.state WHEN 'captured' THEN made.amount_minor ELSE 0 END,
               CASE made.state WHEN 'captured' THEN made.principal_minor END, 0,
               asked.currency, made.state, made.decline_code, made.advice_code,
               made.capture_before, made.stripe_payment_intent_id, made.stripe_charge_id
          FROM json_to_recordset(charges::json) AS made (
                   id uuid, funding_source_id uuid, attempt bigint, idempotency_key text,
                   amount_minor bigint, principal_minor bigint, state text, decline_code text,
                   advice_code text, capture_before timestamptz, stripe_payment_intent_id text,
                   stripe_charge_id text);
    END IF;
    IF journals <> '[]' THEN
        INSERT INTO journal (
            reference, rule, occurred_at, purchase_id, customer_id, currency,
            debits, credits, amounts, layers)
        SELECT made.reference, made.rule, at, asked.authorization_id, asked.customer_id,
               asked.currency, made.debits, made.credits, made.amounts, made.layers
          FROM json_to_recordset(journals::json) AS made (
                   reference text, rule text, debits text[], credits text[], amounts bigint[],
                   layers text[])
            ON CONFLICT (reference) DO NOTHING;
    END IF;
    RETURN true;
END $$
"""
WRITTEN = (
    "write_authorization_decision"
    "(uuid, text, text, timestamptz, bigint, bigint, text, text, text, text, text)"
)


def upgrade() -> None:
    _create_books()
    _create_refunds()
    _create_receivables()
    _create_balance_transactions()
    _add_columns()
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        role = context.config.attributes["application_role"]
        if role is not None:
            op.execute(f'REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM "{role}"')
    op.execute(POSTINGS)
    op.execute(WRITE)


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {WRITTEN}")
    op.execute("DROP VIEW posting")
    for name in ("undone", "stripe_balance_transaction_id", "processing_fee_minor"):
        op.drop_column("charge", name)
    op.drop_index("ix_charge_lapsing", "charge")
    op.drop_constraint("ck_charge_principal_within_amount", "charge")
    for name in ("purpose", "receivable_id", "mode", "principal_minor", "captured_principal_minor"):
        op.drop_column("charge", name)
    op.execute("DELETE FROM charge WHERE request_id IS NULL")
    op.alter_column("charge", "request_id", nullable=False)
    op.drop_column("price_plan", "refund_fee_policy")
    op.drop_index("ix_card_authorization_pending", "card_authorization")
    op.drop_index("ix_card_authorization_settle_after", "card_authorization")
    op.drop_column("card_authorization", "settle_after")
    op.drop_column("card_authorization", "read_at")
    op.drop_column("card_authorization", "forced")
    op.drop_index("ix_card_transaction_waiting", "card_transaction")
    op.drop_column("card_transaction", "earned_minor")
    op.drop_column("card_transaction", "unmatched")
    for table in (
        "regular_job",
        "balance_transaction",
        "receivable",
        "refund",
        "open_clearing",
        "rollup_mark",
        "account_day",
        "seal",
        "journal",
    ):
        op.drop_table(table)


def _word(name: str, kind: str, *words: str, default: str | None = None) -> sa.Column[str]:
    """A column that holds one of a few words, as every state of ours does."""
    allowed = sa.Enum(*words, name=kind, native_enum=False, create_constraint=True, length=40)
    return sa.Column(name, allowed, nullable=False, server_default=default)


def _number(name: str, default: str | None = None, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable, server_default=default)


def _moment(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def _now(name: str) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _create_books() -> None:
    op.create_table(
        "journal",
        _text("reference"),
        _text("rule"),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("purchase_id", sa.Uuid(), nullable=True),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        _text("currency"),
        sa.Column("debits", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("credits", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("amounts", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("layers", sa.ARRAY(sa.Text()), nullable=False),
        _now("recorded_at"),
        sa.Column(
            "transaction_id",
            sa.BigInteger(),
            server_default=sa.text("(pg_current_xact_id()::text)::bigint"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "cardinality(amounts) > 0 AND cardinality(debits) = cardinality(amounts)"
            " AND cardinality(credits) = cardinality(amounts)"
            " AND cardinality(layers) = cardinality(amounts)",
            name=op.f("ck_journal_postings_whole"),
        ),
        sa.CheckConstraint("0 < ALL (amounts)", name=op.f("ck_journal_amounts_positive")),
        sa.CheckConstraint(
            "layers <@ ARRAY['posted', 'held']", name=op.f("ck_journal_layers_known")
        ),
        sa.CheckConstraint(
            f"debits <@ ARRAY[{CODES}] AND credits <@ ARRAY[{CODES}]",
            name=op.f("ck_journal_accounts_known"),
        ),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_journal")),
    )
    op.create_index(
        "ix_journal_purchase",
        "journal",
        ["purchase_id"],
        postgresql_where="purchase_id IS NOT NULL",
    )
    for name in ("occurred_at", "transaction_id"):
        index = f"ix_journal_{name.removesuffix('_id')}"
        op.create_index(
            index,
            "journal",
            [name],
            postgresql_using="brin",
            postgresql_with={"autosummarize": "on"},
        )
    op.create_table(
        "seal",
        sa.Column("number", sa.BigInteger(), sa.Identity(), nullable=False),
        _number("from_transaction"),
        _number("until_transaction"),
        _number("journals"),
        _text("hash"),
        _now("sealed_at"),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_seal")),
    )
    op.create_table(
        "account_day",
        sa.Column("day", sa.Date(), nullable=False),
        _text("account"),
        _text("layer"),
        _text("currency"),
        _number("debit_minor"),
        _number("credit_minor"),
        sa.PrimaryKeyConstraint("day", "account", "layer", "currency", name=op.f("pk_account_day")),
    )
    op.create_table(
        "rollup_mark",
        _text("name"),
        _number("until_transaction"),
        _text("time_zone"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_rollup_mark")),
    )
    op.create_table(
        "open_clearing",
        sa.Column("purchase_id", sa.Uuid(), nullable=False),
        _text("account"),
        _text("layer"),
        _text("currency"),
        _number("net_minor"),
        _moment("amiss_since"),
        sa.PrimaryKeyConstraint(
            "purchase_id", "account", "layer", "currency", name=op.f("pk_open_clearing")
        ),
    )
    op.create_index(
        "ix_open_clearing_amiss",
        "open_clearing",
        ["amiss_since"],
        postgresql_where="amiss_since IS NOT NULL",
    )


def _create_refunds() -> None:
    op.create_table(
        "refund",
        sa.Column("charge_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("purchase_id", sa.Uuid(), nullable=False),
        _word("purpose", "refundpurpose", "unearned", "merchant_refund"),
        _number("amount_minor"),
        _number("principal_minor"),
        _number("deferred_fee_minor"),
        _number("returned_fee_minor"),
        _word("currency", "currency", "usd"),
        _word("state", "refundstate", "sending", "pending", "succeeded", "failed"),
        _text("stripe_refund_id", nullable=True),
        _text("stripe_balance_transaction_id", nullable=True),
        _text("failure_reason", nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        _now("created_at"),
        sa.CheckConstraint(
            "amount_minor > 0"
            " AND amount_minor = principal_minor + deferred_fee_minor + returned_fee_minor"
            " AND principal_minor >= 0 AND deferred_fee_minor >= 0 AND returned_fee_minor >= 0",
            name=op.f("ck_refund_parts_are_whole"),
        ),
        sa.ForeignKeyConstraint(
            ["charge_id"], ["charge.id"], name=op.f("fk_refund_charge_id_charge")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund")),
        sa.UniqueConstraint("stripe_refund_id", name=op.f("uq_refund_stripe_refund_id")),
    )
    for name in ("purchase_id", "charge_id", "created_at"):
        op.create_index(f"ix_refund_{name.removesuffix('_id')}", "refund", [name])


def _create_receivables() -> None:
    op.create_table(
        "receivable",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("purchase_id", sa.Uuid(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        _number("amount_minor"),
        _number("lowered_minor"),
        _word("currency", "currency", "usd"),
        sa.Column("refund_reversed", sa.Boolean(), server_default=sa.false(), nullable=False),
        _word(
            *("state", "receivablestate"),
            *("open", "settled", "collected", "written_off", "recovered"),
        ),
        _number("attempts"),
        _moment("next_attempt_at"),
        _text("decline_code", nullable=True),
        _text("advice_code", nullable=True),
        _moment("closed_at"),
        sa.Column("id", sa.Uuid(), nullable=False),
        _now("created_at"),
        sa.CheckConstraint(
            "amount_minor > 0 AND lowered_minor BETWEEN 0 AND amount_minor",
            name=op.f("ck_receivable_amounts_in_range"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_receivable_customer_id_customer")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receivable")),
    )
    op.create_index("ix_receivable_purchase", "receivable", ["purchase_id"])
    op.create_index("ix_receivable_opened_at", "receivable", ["opened_at"])
    for index, name in (("customer", "customer_id"), ("due", "next_attempt_at")):
        op.create_index(
            f"ix_receivable_{index}", "receivable", [name], postgresql_where="state = 'open'"
        )


def _create_balance_transactions() -> None:
    op.create_table(
        "balance_transaction",
        _text("stripe_balance_transaction_id"),
        _text("balance_type"),
        _text("type"),
        _number("amount_minor"),
        _number("fee_minor"),
        _number("net_minor"),
        _text("currency"),
        _text("source", nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("available_at", sa.DateTime(timezone=True), nullable=False),
        _text("journal_reference", nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        _now("created_at"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_balance_transaction")),
        sa.UniqueConstraint(
            "stripe_balance_transaction_id",
            name=op.f("uq_balance_transaction_stripe_balance_transaction_id"),
        ),
    )
    for name in ("occurred_at", "source"):
        op.create_index(f"ix_balance_transaction_{name}", "balance_transaction", [name])
    op.create_index(
        "ix_balance_transaction_unmatched",
        "balance_transaction",
        ["occurred_at"],
        postgresql_where="journal_reference IS NULL",
    )
    op.create_table(
        "regular_job",
        _text("name"),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        _moment("began_at"),
        _moment("ended_at"),
        _moment("looked_until"),
        _text("outcome", nullable=True),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_regular_job")),
    )


def _add_columns() -> None:
    op.alter_column("charge", "request_id", nullable=True)
    purposes = ("authorization", "difference", "refund_reversed", "collection")
    for column in (
        _word("purpose", "chargepurpose", *purposes, default="authorization"),
        sa.Column("receivable_id", sa.Uuid(), nullable=True),
        _word("mode", "fundingmode", "hold", "charge", default="hold"),
        _number("principal_minor", "0"),
        _number("captured_principal_minor", nullable=True),
        sa.Column("undone", sa.Boolean(), server_default=sa.false(), nullable=False),
        _text("stripe_balance_transaction_id", nullable=True),
        _number("processing_fee_minor", nullable=True),
    ):
        op.add_column("charge", column)
    op.create_check_constraint(
        op.f("ck_charge_principal_within_amount"),
        "charge",
        "principal_minor BETWEEN 0 AND amount_minor"
        " AND captured_principal_minor BETWEEN 0 AND captured_minor",
    )
    op.create_index(
        "ix_charge_lapsing",
        "charge",
        ["capture_before"],
        postgresql_where="state = 'held' AND capture_before IS NOT NULL",
    )
    policies = ("proportional", "kept")
    op.add_column(
        "price_plan",
        _word("refund_fee_policy", "refundfeepolicy", *policies, default="proportional"),
    )
    op.add_column("card_authorization", _moment("settle_after"))
    op.add_column("card_authorization", _moment("read_at"))
    op.create_index(
        "ix_card_authorization_pending",
        "card_authorization",
        ["occurred_at"],
        postgresql_where="state = 'pending'",
    )
    op.create_index(
        "ix_card_authorization_settle_after",
        "card_authorization",
        ["settle_after"],
        postgresql_where="settle_after IS NOT NULL",
    )
    for table, name in (("card_authorization", "forced"), ("card_transaction", "unmatched")):
        op.add_column(
            table, sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False)
        )
    op.add_column("card_transaction", _number("earned_minor", "0"))
    op.create_index(
        "ix_card_transaction_waiting",
        "card_transaction",
        ["occurred_at"],
        postgresql_where="unmatched AND authorization_id IS NULL",
    )
