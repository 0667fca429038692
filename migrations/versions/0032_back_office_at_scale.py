"""What the back office asks for stays quick among millions: indexes that no decision writes to.

Those of the journals leave out what every purchase has; a purchase's amount is 0 until Stripe has
told it, which a decision does not wait for. Sums of traffic by quarters of hours are kept beside
the rows: triggers that leave alone what is younger than a day take them away where rows change.
"""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

EVERYDAY_RULES = (
    "ARRAY['linked_card_held', 'network_hold_placed', 'network_hold_released',"
    " 'linked_card_captured', 'merchant_captured', 'fee_earned', 'processing_fee']"
)
EVERYDAY_ACCOUNTS = "ARRAY['1010', '1020', '2000', '2300', '4000', '5000']"
TOUCHED = f"""
CREATE INDEX ix_journal_touched ON journal USING gin ((debits || credits))
 WHERE NOT (debits <@ {EVERYDAY_ACCOUNTS} AND credits <@ {EVERYDAY_ACCOUNTS})
"""
INDEXES = (
    (
        "ix_journal_other_rules",
        "journal",
        ["rule", "occurred_at"],
        f"rule <> ALL ({EVERYDAY_RULES})",
    ),
    (
        "ix_card_authorization_amount",
        "card_authorization",
        ["amount_minor"],
        "amount_minor <> 0",
    ),
    (
        "ix_journal_other_accounts",
        "journal",
        ["occurred_at"],
        f"NOT (debits <@ {EVERYDAY_ACCOUNTS} AND credits <@ {EVERYDAY_ACCOUNTS})",
    ),
    ("ix_mail_recipient", "mail", ["recipient"], None),
    ("ix_audit_entry_request", "audit_entry", ["request_id"], None),
    ("ix_audit_entry_subject_id", "audit_entry", ["subject_id"], None),
    ("ix_journal_without_purchase", "journal", ["occurred_at"], "purchase_id IS NULL"),
    ("ix_charge_rare", "charge", ["created_at"], "state NOT IN ('held', 'captured')"),
    (
        "ix_charge_held_for_ever",
        "charge",
        ["created_at"],
        "state = 'held' AND capture_before IS NULL",
    ),
    (
        "ix_charge_decline_code",
        "charge",
        ["decline_code", "created_at"],
        "decline_code IS NOT NULL",
    ),
    ("ix_card_transaction_merchant", "card_transaction", ["merchant_name", "occurred_at"], None),
    ("ix_balance_transaction_amount", "balance_transaction", ["amount_minor"], None),
    ("ix_balance_transaction_type", "balance_transaction", ["type", "occurred_at"], None),
    ("ix_inbound_event_type", "inbound_event", ["type", "created_at"], None),
)

FIGURES = (
    *("approved", "overruled", "declined", "captured_minor", "captures"),
    *("given_back_minor", "refunds"),
)
# Shared until the transaction's end, so that nobody adds up a quarter that is about to change.
TAKE_AWAY = """
CREATE FUNCTION take_traffic_away() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    at timestamptz;
    quarter timestamptz;
BEGIN
    IF TG_TABLE_NAME = 'authorization_request' THEN
        at := NEW.requested_at;
    ELSIF TG_TABLE_NAME = 'card_transaction' THEN
        at := NEW.occurred_at;
    ELSE
        SELECT requested_at INTO at FROM authorization_request WHERE id = NEW.request_id;
        IF at IS NULL OR at >= clock_timestamp() - interval '23 hours' THEN
            RETURN NULL;
        END IF;
    END IF;
    quarter := date_bin('15 minutes', at, '2000-01-01 00:00Z');
    PERFORM pg_advisory_xact_lock_shared(4232);
    DELETE FROM traffic WHERE starts_at = quarter;
    DELETE FROM declined_request
     WHERE requested_at >= quarter AND requested_at < quarter + interval '15 minutes';
    RETURN NULL;
END $$;
"""
# An hour of a day is left for a transaction that began before a quarter was old enough.
OF_REQUESTS = """
CREATE TRIGGER traffic AFTER INSERT OR UPDATE OF requested_at, state, stripe_approved, reason
    ON authorization_request FOR EACH ROW
  WHEN (NEW.requested_at < clock_timestamp() - interval '23 hours')
EXECUTE FUNCTION take_traffic_away()
"""
OF_TRANSACTIONS = """
CREATE TRIGGER traffic AFTER INSERT OR UPDATE OF occurred_at, kind, amount_minor
    ON card_transaction FOR EACH ROW
  WHEN (NEW.occurred_at < clock_timestamp() - interval '23 hours')
EXECUTE FUNCTION take_traffic_away()
"""
OF_CHARGES = """
CREATE TRIGGER traffic AFTER INSERT OR UPDATE OF state ON charge FOR EACH ROW
  WHEN (NEW.state = 'declined' AND NEW.request_id IS NOT NULL)
EXECUTE FUNCTION take_traffic_away()
"""


def upgrade() -> None:
    op.create_table(
        "traffic",
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in FIGURES),
        sa.PrimaryKeyConstraint("starts_at", name=op.f("pk_traffic")),
    )
    op.create_table(
        "declined_request",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("merchant_name", sa.Text(), nullable=False),
        sa.Column("banks", sa.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_declined_request")),
    )
    op.create_index("ix_declined_request_requested_at", "declined_request", ["requested_at"])
    for statement in (TAKE_AWAY, OF_REQUESTS, OF_TRANSACTIONS, OF_CHARGES):
        op.execute(statement)
    op.execute(TOUCHED)
    for name, table, columns, where in INDEXES:
        op.create_index(name, table, columns, postgresql_where=sa.text(where) if where else None)


def downgrade() -> None:
    for table in ("charge", "card_transaction", "authorization_request"):
        op.execute(f"DROP TRIGGER traffic ON {table}")
    op.execute("DROP FUNCTION take_traffic_away()")
    op.drop_table("declined_request")
    op.drop_table("traffic")
    for name, table, _, _ in reversed(INDEXES):
        op.drop_index(name, table)
    op.drop_index("ix_journal_touched", "journal")
