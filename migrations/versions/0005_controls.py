"""Controls and the flight recorder: rules as data, purchases allowed once, facts of each decision.

The two functions of the decision are written anew, with typed arguments and more to count. Those of
0003 have other arguments, so that processes of the version before go on deciding during a deploy.
"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSON, JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

OLD_REASONS = """
'unreadable_request', 'conflicting_request', 'unknown_card', 'card_inactive', 'card_frozen',
'card_closed', 'customer_not_active', 'refund_request', 'wrong_currency', 'amount_out_of_range',
'own_descriptor', 'single_use_spent', 'locked_to_merchant', 'category_not_allowed',
'country_not_allowed', 'over_purchase_limit', 'over_daily_limit', 'over_monthly_limit',
'over_exposure_limit', 'no_funding_source', 'no_price_plan', 'bank_declined',
'bank_insufficient_funds', 'bank_card_lost_or_stolen', 'bank_card_expired',
'bank_incorrect_cvc', 'bank_processing_error', 'bank_card_velocity_exceeded',
'bank_suspects_fraud', 'bank_authentication_required', 'funding_outcome_unknown',
'funding_request_refused', 'funding_rate_limited', 'too_slow', 'too_busy', 'our_error',
'stripe_declined'
"""
FORGET_NEW_REASONS = """
UPDATE authorization_request SET reason = 'stripe_declined'
 WHERE reason LIKE 'stripe\\_%' OR reason LIKE 'stopped\\_%' OR reason = ANY (ARRAY[
    'outside_active_dates', 'blocked_merchant', 'cash_not_allowed', 'quasi_cash_not_allowed',
    'gambling_not_allowed', 'category_closed', 'country_closed', 'card_too_often', 'card_too_much',
    'customer_too_often', 'customer_too_much', 'new_customer_limit', 'too_many_declines',
    'suspected_card_testing', 'risk_score_too_high', 'funding_paused', 'source_needs_refresh'])
"""
REASON_CHECK = "ck_authorization_request_declinereason"

# A change gets the next number only when the changes before it are visible: whoever has seen a
# number has seen all that are lower.
RULE_VERSION = """
CREATE FUNCTION number_decision_rule() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('decision_rule', 0));
    NEW.version := 1 + (SELECT coalesce(max(version), 0) FROM decision_rule);
    RETURN NEW;
END $$
"""
RULE_TRIGGER = """
CREATE TRIGGER number_decision_rule BEFORE INSERT OR UPDATE ON decision_rule
FOR EACH ROW EXECUTE FUNCTION number_decision_rule()
"""

# Read by both functions below; written twice because a function called from another one costs
# more than what it counts.
USAGE_QUERY = """
    SELECT coalesce(json_agg(json_build_object(
               'purchases', used.purchases, 'amount_minor', used.amount_minor,
               'declines', used.declines, 'probes', used.probes) ORDER BY window_of.place), '[]')
      FROM unnest(since, customer_wide) WITH ORDINALITY AS window_of (began, wide, place)
     CROSS JOIN LATERAL (
         SELECT count(*) FILTER (WHERE reserved_minor > 0 AND approved_before_minor = 0)
                    AS purchases,
                coalesce(sum(reserved_minor), 0) AS amount_minor,
                count(*) FILTER (WHERE state = 'declined' AND reason <> ALL (uncounted))
                    AS declines,
                count(*) FILTER (WHERE amount_minor BETWEEN 0 AND probe) AS probes
           FROM authorization_request AS past
          WHERE past.customer_id = {customer}
            AND past.requested_at >= window_of.began
            AND (window_of.wide OR past.card_id = {card}){more}) AS used
"""
USAGE_HEAD = """
CREATE FUNCTION usage_in_windows(
    the_customer uuid, the_card uuid, except_request uuid, until timestamptz,
    since timestamptz[], customer_wide boolean[], uncounted text[], probe bigint)
RETURNS json LANGUAGE sql STABLE AS $$
"""
USAGE = (
    USAGE_HEAD
    + USAGE_QUERY.format(
        customer="the_customer",
        card="the_card",
        more=" AND past.requested_at <= until AND past.id IS DISTINCT FROM except_request",
    )
    + "$$"
)

RECORD = """
CREATE FUNCTION record_authorization_request(
    new_id uuid, new_authorization uuid, asked_event text, stripe_authorization text,
    stripe_card text, asked_ordinal bigint, amount bigint, asked_currency text,
    approved_before bigint,
    asked_name text, asked_key text, asked_category text, asked_country text, asked_city text,
    asked_network_id text, asked_risk bigint,
    at timestamptz, look_again_at timestamptz, mode text,
    since timestamptz[], customer_wide boolean[], uncounted text[], probe bigint)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    the_card card;
    the_customer customer;
    the_authorization uuid;
    earlier authorization_request;
    told record;
    first_place json;
    used_before bigint := 0;
BEGIN
    SELECT * INTO the_card FROM card WHERE stripe_card_id = stripe_card;
    IF FOUND THEN
        SELECT * INTO the_customer FROM customer
         WHERE id = the_card.customer_id FOR NO KEY UPDATE;
        SELECT * INTO the_card FROM card WHERE id = the_card.id;
    ELSE
        PERFORM pg_advisory_xact_lock(hashtextextended(stripe_authorization, 0));
    END IF;

    SELECT * INTO earlier FROM authorization_request WHERE stripe_event_id = asked_event;
    IF FOUND THEN
        RETURN json_build_object(
            'outcome', CASE WHEN earlier.amount_minor = amount THEN 'replay' ELSE 'conflict' END,
            'state', earlier.state, 'approved_minor', earlier.approved_minor);
    END IF;

    INSERT INTO card_authorization (
        id, stripe_authorization_id, card_id, customer_id, occurred_at, state, amount_minor,
        currency, merchant_name, merchant_category, merchant_country, merchant_city,
        merchant_network_id, fence)
    VALUES (
        new_authorization, stripe_authorization, the_card.id, the_customer.id, at,
        'pending', 0, asked_currency, asked_name, asked_category, asked_country, asked_city,
        asked_network_id, 0)
    ON CONFLICT (stripe_authorization_id) DO NOTHING
    RETURNING id INTO the_authorization;
    IF the_authorization IS NULL THEN
        SELECT id INTO the_authorization FROM card_authorization
         WHERE stripe_authorization_id = stripe_authorization;
        PERFORM FROM authorization_request
          WHERE authorization_id = the_authorization AND ordinal = asked_ordinal;
        IF FOUND THEN
            RETURN json_build_object('outcome', 'conflict');
        END IF;
    END IF;

    IF the_card.single_use OR the_card.lock_to_first_merchant THEN
        SELECT count(*) INTO used_before FROM authorization_request
         WHERE card_id = the_card.id AND reserved_minor > probe
           AND authorization_id <> the_authorization;
        SELECT json_build_object('network_id', made.merchant_network_id,
                                 'name', made.merchant_name)
          INTO first_place
          FROM authorization_request AS asked
          JOIN card_authorization AS made ON made.id = asked.authorization_id
         WHERE asked.card_id = the_card.id AND asked.state <> 'declined'
           AND asked.amount_minor > probe
         ORDER BY asked.requested_at, asked.id LIMIT 1;
    END IF;
    SELECT (SELECT row_to_json(plan) FROM price_plan AS plan
             WHERE effective_from <= at ORDER BY effective_from DESC LIMIT 1) AS plan,
           (SELECT coalesce(json_agg(json_build_object(
                       'id', id, 'stripe_payment_method_id', stripe_payment_method_id,
                       'brand', brand, 'last4', last4, 'funding', funding, 'country', country)
                       ORDER BY is_default DESC, priority, id), '[]')
              FROM funding_source
             WHERE customer_id = the_customer.id AND state = 'active') AS sources,
           (SELECT array_agg(id ORDER BY is_default DESC, priority, id) FROM funding_source
             WHERE customer_id = the_customer.id AND state = 'active') AS source_ids,
           (@USAGE@) AS windows,
           (SELECT coalesce(sum(reserved_minor), 0) FROM authorization_request
             WHERE customer_id = the_customer.id AND open AND reserved_minor > 0) AS open_minor,
           (SELECT requested_at FROM authorization_request
             WHERE customer_id = the_customer.id AND state = 'approved'
             ORDER BY requested_at LIMIT 1) AS first_purchase_at,
           (SELECT id FROM allowance AS given
             WHERE card_id = the_card.id AND expires_at > at AND amount BETWEEN 1 AND most_minor
               AND (merchant_network_id = asked_network_id OR merchant_key = asked_key)
               AND NOT EXISTS (SELECT FROM authorization_request AS asked
                                WHERE asked.allowance_id = given.id AND asked.state <> 'declined')
             ORDER BY id LIMIT 1) AS allowance,
           (SELECT coalesce(max(version), 0) FROM decision_rule) AS rules_version
      INTO told;

    INSERT INTO authorization_request (
        id, authorization_id, card_id, customer_id, ordinal, stripe_event_id, requested_at,
        amount_minor, currency, approved_before_minor, reserved_minor, open, price_plan_id,
        funding_mode, funding_source_ids, fee_minor, state, step_ms, verify_after, risk_score,
        allowance_id)
    VALUES (
        new_id, the_authorization, the_card.id, the_customer.id, asked_ordinal, asked_event, at,
        amount, asked_currency, approved_before, greatest(amount, 0), true,
        (told.plan->>'id')::uuid, mode,
        coalesce(told.source_ids, '{}'), 0, 'deciding', '{}', look_again_at, asked_risk,
        told.allowance);

    RETURN json_build_object(
        'outcome', 'new', 'state', 'deciding', 'rules_version', told.rules_version,
        'card', CASE WHEN the_card.id IS NOT NULL THEN row_to_json(the_card) END,
        'customer', CASE WHEN the_customer.id IS NOT NULL THEN json_build_object(
            'id', the_customer.id, 'state', the_customer.state,
            'stripe_customer_id', the_customer.stripe_customer_id,
            'exposure_limit_minor', the_customer.exposure_limit_minor,
            'in_debt_since', the_customer.in_debt_since) END,
        'price', told.plan, 'sources', told.sources,
        'usage', json_build_object(
            'windows', told.windows, 'customer_open_minor', told.open_minor,
            'first_purchase_at', told.first_purchase_at, 'card_purchases', used_before,
            'first_merchant', first_place),
        'allowed_once', told.allowance IS NOT NULL);
END $$
""".replace("@USAGE@", USAGE_QUERY.format(customer="the_customer.id", card="the_card.id", more=""))

WRITE = """
CREATE FUNCTION write_authorization_decision(
    request uuid, answer text, why text, at timestamptz, approved bigint, fee bigint,
    steps text, facts text, verdicts text, charges text)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    asked record;
BEGIN
    UPDATE authorization_request
       SET state = answer, reason = why, decided_at = at, approved_minor = approved,
           reserved_minor = greatest(approved, 0), fee_minor = fee, step_ms = steps::jsonb
     WHERE id = request AND state = 'deciding'
    RETURNING id, customer_id, authorization_id, currency INTO asked;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO flight_record (request_id, facts, verdicts)
    VALUES (request, facts::json, verdicts::json);
    IF charges <> '[]' THEN
        INSERT INTO charge (
            id, customer_id, funding_source_id, purchase_id, request_id, attempt, idempotency_key,
            amount_minor, captured_minor, refunded_minor, currency, state, decline_code,
            advice_code, capture_before, stripe_payment_intent_id, stripe_charge_id)
        SELECT made.id, asked.customer_id, made.funding_source_id, asked.authorization_id,
               asked.id, made.attempt, made.idempotency_key, made.amount_minor,
               CASE made.state WHEN 'captured' THEN made.amount_minor ELSE 0 END, 0,
               asked.currency, made.state, made.decline_code, made.advice_code,
               made.capture_before, made.stripe_payment_intent_id, made.stripe_charge_id
          FROM json_to_recordset(charges::json) AS made (
                   id uuid, funding_source_id uuid, attempt bigint, idempotency_key text,
                   amount_minor bigint, state text, decline_code text, advice_code text,
                   capture_before timestamptz, stripe_payment_intent_id text,
                   stripe_charge_id text);
    END IF;
    RETURN true;
END $$
"""

# In force from the beginning: what a card of ours is not for, and what only thieves do.
FIRST_RULES = """
INSERT INTO decision_rule (id, kind, name, mode, condition, effective_from, note, version)
SELECT gen_random_uuid(), condition->>'kind', name, 'enforced', condition,
       '2000-01-01T00:00:00Z', note, 0
  FROM (VALUES
    ('Cash', 'A credit card that turns into cash is a cash advance.', '{"kind": "closed_categories",
      "group": "cash", "categories": ["automated_cash_disburse", "manual_cash_disburse"]}'::jsonb),
    ('Quasi-cash', 'Money orders, transfers and stored value are cash by another way.',
     '{"kind": "closed_categories", "group": "quasi_cash", "categories": ["non_fi_money_orders",
       "non_fi_stored_value_card_purchase_load", "wires_money_orders", "financial_institutions"]}'),
    ('Gambling', 'Networks and many states treat it apart.', '{"kind": "closed_categories",
      "group": "gambling", "categories": ["betting_casino_gambling",
       "government_licensed_horse_dog_racing_us_region_only",
       "government_licensed_online_casions_online_gambling_us_region_only",
       "government_owned_lotteries_non_us_region", "government_owned_lotteries_us_region_only"]}'),
    ('Purchases per card and hour', 'More than a person buys.',
     '{"kind": "velocity", "scope": "card", "minutes": 60, "purchases": 40}'),
    ('Spending per customer and day', 'Beyond it, somebody looks first.',
     '{"kind": "velocity", "scope": "customer", "minutes": 1440, "amount_minor": 1000000}'),
    ('First thirty days', 'Limits grow with history.', '{"kind": "new_customer", "for_days": 30,
      "window_days": 7, "amount_minor": 500000}'),
    ('Declines per card', 'Somebody is guessing.',
     '{"kind": "decline_streak", "minutes": 10, "declines": 12}'),
    ('Card testing', 'Many tiny purchases find out which stolen cards work.',
     '{"kind": "card_testing", "minutes": 10, "probes": 12}'),
    ('Network risk score', 'The network knows more than we do.',
     '{"kind": "risk_score", "at_least": 90}')
  ) AS first (name, note, condition)
"""


def upgrade() -> None:
    _create_tables()
    op.add_column(
        "card",
        sa.Column(
            "lock_to_first_merchant", sa.Boolean(), nullable=False, server_default=sa.false()
        ),
    )
    op.add_column("card", sa.Column("active_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("customer", sa.Column("in_debt_since", sa.DateTime(timezone=True), nullable=True))
    for name in ("approved_minor", "risk_score"):
        op.add_column("authorization_request", sa.Column(name, sa.BigInteger(), nullable=True))
    op.add_column("authorization_request", sa.Column("allowance_id", sa.Uuid(), nullable=True))
    op.create_index(
        "ix_authorization_request_allowance",
        "authorization_request",
        ["allowance_id"],
        postgresql_where="allowance_id IS NOT NULL",
    )
    op.create_index(
        "ix_authorization_request_customer",
        "authorization_request",
        ["customer_id", "requested_at"],
    )
    # Each row is written twice: with room left, the answer goes to the page of its question.
    op.execute("ALTER TABLE authorization_request SET (fillfactor = 70)")
    op.execute(
        "UPDATE authorization_request SET approved_minor = amount_minor WHERE state = 'approved'"
    )
    # Read anew for each row, a list this long costs more than all the others together.
    op.execute(f"ALTER TABLE authorization_request DROP CONSTRAINT {REASON_CHECK}")
    for statement in (RULE_VERSION, RULE_TRIGGER, USAGE, RECORD, WRITE, FIRST_RULES):
        op.execute(statement)


def downgrade() -> None:
    op.execute(
        "DROP FUNCTION write_authorization_decision"
        "(uuid, text, text, timestamptz, bigint, bigint, text, text, text, text)"
    )
    op.execute(
        "DROP FUNCTION record_authorization_request(uuid, uuid, text, text, text, bigint,"
        " bigint, text, bigint, text, text, text, text, text, text, bigint, timestamptz,"
        " timestamptz, text, timestamptz[], boolean[], text[], bigint)"
    )
    op.execute(
        "DROP FUNCTION usage_in_windows(uuid, uuid, uuid, timestamptz, timestamptz[],"
        " boolean[], text[], bigint)"
    )
    op.execute(FORGET_NEW_REASONS)
    op.execute(
        f"ALTER TABLE authorization_request ADD CONSTRAINT {REASON_CHECK}"
        f" CHECK (reason IN ({OLD_REASONS}))"
    )
    op.execute("ALTER TABLE authorization_request RESET (fillfactor)")
    op.drop_index("ix_authorization_request_customer", "authorization_request")
    op.drop_index("ix_authorization_request_allowance", "authorization_request")
    for name in ("allowance_id", "risk_score", "approved_minor"):
        op.drop_column("authorization_request", name)
    op.drop_column("customer", "in_debt_since")
    op.drop_column("card", "active_until")
    op.drop_column("card", "lock_to_first_merchant")
    for table in ("flight_record", "allowance", "decision_rule"):
        op.drop_table(table)
    op.execute("DROP FUNCTION number_decision_rule()")


def _created_at() -> sa.Column[datetime]:
    return sa.Column(
        "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
    )


def _create_tables() -> None:
    mode = sa.Enum(
        "shadow", "enforced", name="rulemode", native_enum=False, create_constraint=True, length=40
    )
    op.create_table(
        "decision_rule",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("mode", mode, nullable=False),
        sa.Column("condition", JSONB(), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("effective_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        _created_at(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decision_rule")),
        sa.UniqueConstraint("version", name=op.f("uq_decision_rule_version")),
    )
    op.create_table(
        "allowance",
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("declined_request_id", sa.Uuid(), nullable=False),
        sa.Column("merchant_name", sa.Text(), nullable=False),
        sa.Column("merchant_key", sa.Text(), nullable=False),
        sa.Column("merchant_network_id", sa.Text(), nullable=True),
        sa.Column("most_minor", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        _created_at(),
        sa.ForeignKeyConstraint(["card_id"], ["card.id"], name=op.f("fk_allowance_card_id_card")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_allowance")),
    )
    op.create_index("ix_allowance_card", "allowance", ["card_id", "expires_at"])
    op.create_table(
        "flight_record",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("facts", JSON(), nullable=False),
        sa.Column("verdicts", JSON(), nullable=False),
        sa.PrimaryKeyConstraint("request_id", name=op.f("pk_flight_record")),
    )
    # Written once and seldom read: not worth the time to compress it.
    op.execute("ALTER TABLE flight_record SET (toast_tuple_target = 8160)")
