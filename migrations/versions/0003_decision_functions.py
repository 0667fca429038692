"""The two database functions of the decision: record a request, write its answer.

Each is one round trip and one transaction. Recording locks the customer, so that two purchases at
once cannot both see the same room under a limit, and reads in statements that each see what was
committed while it waited, which a single SQL statement would not.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

RECORD = """
CREATE FUNCTION record_authorization_request(ask jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    the_card card;
    the_customer customer;
    the_plan price_plan;
    the_authorization card_authorization;
    earlier authorization_request;
    sources jsonb;
    usage jsonb;
    amount bigint := (ask->>'amount_minor')::bigint;
    at timestamptz := (ask->>'requested_at')::timestamptz;
    new_id uuid := (ask->>'request_id')::uuid;
BEGIN
    SELECT * INTO the_card FROM card WHERE stripe_card_id = ask->>'card';
    IF FOUND THEN
        SELECT * INTO the_customer FROM customer
         WHERE id = the_card.customer_id FOR NO KEY UPDATE;
        SELECT * INTO the_card FROM card WHERE id = the_card.id;
    ELSE
        PERFORM pg_advisory_xact_lock(hashtextextended(ask->>'authorization', 0));
    END IF;

    SELECT * INTO earlier FROM authorization_request WHERE stripe_event_id = ask->>'event';
    IF FOUND THEN
        RETURN jsonb_build_object(
            'outcome', CASE WHEN earlier.amount_minor = amount THEN 'replay' ELSE 'conflict' END,
            'state', earlier.state, 'amount_minor', earlier.amount_minor);
    END IF;

    INSERT INTO card_authorization (
        id, stripe_authorization_id, card_id, customer_id, occurred_at, state, amount_minor,
        currency, merchant_name, merchant_category, merchant_country, merchant_city,
        merchant_network_id, fence)
    VALUES (
        (ask->>'authorization_id')::uuid, ask->>'authorization', the_card.id, the_customer.id, at,
        'pending', 0, ask->>'currency', ask->>'merchant_name', ask->>'merchant_category',
        ask->>'merchant_country', ask->>'merchant_city', ask->>'merchant_network_id', 0)
    ON CONFLICT (stripe_authorization_id) DO NOTHING;
    SELECT * INTO the_authorization FROM card_authorization
     WHERE stripe_authorization_id = ask->>'authorization';

    PERFORM FROM authorization_request
      WHERE authorization_id = the_authorization.id AND ordinal = (ask->>'ordinal')::bigint;
    IF FOUND THEN
        RETURN jsonb_build_object('outcome', 'conflict');
    END IF;

    SELECT * INTO the_plan FROM price_plan
     WHERE effective_from <= at ORDER BY effective_from DESC LIMIT 1;
    SELECT coalesce(jsonb_agg(jsonb_build_object(
               'id', id, 'stripe_payment_method_id', stripe_payment_method_id,
               'brand', brand, 'last4', last4) ORDER BY is_default DESC, priority, id), '[]')
      INTO sources FROM funding_source
     WHERE customer_id = the_customer.id AND state = 'active';
    SELECT jsonb_build_object(
               'card_day_minor', coalesce(sum(reserved_minor) FILTER (
                   WHERE requested_at >= (ask->>'day_start')::timestamptz), 0),
               'card_month_minor', coalesce(sum(reserved_minor), 0))
      INTO usage FROM authorization_request
     WHERE card_id = the_card.id AND requested_at >= (ask->>'month_start')::timestamptz;
    usage := usage || jsonb_build_object(
        'customer_open_minor', (
            SELECT coalesce(sum(reserved_minor), 0) FROM authorization_request
             WHERE customer_id = the_customer.id AND open AND reserved_minor > 0),
        'card_purchases', CASE WHEN the_card.single_use THEN (
            SELECT count(*) FROM authorization_request
             WHERE card_id = the_card.id AND reserved_minor > 0
               AND authorization_id <> the_authorization.id) ELSE 0 END);

    INSERT INTO authorization_request (
        id, authorization_id, card_id, customer_id, ordinal, stripe_event_id, requested_at,
        amount_minor, currency, approved_before_minor, reserved_minor, open, price_plan_id,
        funding_mode, funding_source_ids, fee_minor, state, step_ms, verify_after)
    VALUES (
        new_id, the_authorization.id, the_card.id, the_customer.id, (ask->>'ordinal')::bigint,
        ask->>'event', at, amount, ask->>'currency', (ask->>'approved_before_minor')::bigint,
        greatest(amount, 0), true, the_plan.id, ask->>'funding_mode',
        ARRAY(SELECT (source->>'id')::uuid FROM jsonb_array_elements(sources) AS source),
        0, 'deciding', '{}',
        now() + make_interval(secs => (ask->>'verify_after_seconds')::float));

    RETURN jsonb_build_object(
        'outcome', 'new', 'state', 'deciding', 'amount_minor', amount,
        'card', CASE WHEN the_card.id IS NOT NULL THEN to_jsonb(the_card) END,
        'customer', CASE WHEN the_customer.id IS NOT NULL THEN jsonb_build_object(
            'state', the_customer.state, 'stripe_customer_id', the_customer.stripe_customer_id,
            'exposure_limit_minor', the_customer.exposure_limit_minor) END,
        'price', CASE WHEN the_plan.id IS NOT NULL THEN to_jsonb(the_plan) END,
        'sources', sources, 'usage', usage);
END $$;
"""

WRITE = """
CREATE FUNCTION write_authorization_decision(answer jsonb) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE authorization_request
       SET state = answer->>'state', reason = answer->>'reason',
           decided_at = (answer->>'decided_at')::timestamptz,
           reserved_minor = CASE answer->>'state' WHEN 'approved' THEN reserved_minor ELSE 0 END,
           fee_minor = (answer->>'fee_minor')::bigint, step_ms = answer->'step_ms'
     WHERE id = (answer->>'request_id')::uuid AND state = 'deciding';
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO charge (
        id, customer_id, funding_source_id, purchase_id, request_id, attempt, idempotency_key,
        amount_minor, captured_minor, refunded_minor, currency, state, decline_code, advice_code,
        capture_before, stripe_payment_intent_id, stripe_charge_id)
    SELECT made.id, asked.customer_id, made.funding_source_id, asked.authorization_id, asked.id,
           made.attempt, made.idempotency_key, made.amount_minor,
           CASE made.state WHEN 'captured' THEN made.amount_minor ELSE 0 END, 0, asked.currency,
           made.state, made.decline_code, made.advice_code, made.capture_before,
           made.stripe_payment_intent_id, made.stripe_charge_id
      FROM authorization_request AS asked,
           jsonb_to_recordset(answer->'charges') AS made (
               id uuid, funding_source_id uuid, attempt bigint, idempotency_key text,
               amount_minor bigint, state text, decline_code text, advice_code text,
               capture_before timestamptz, stripe_payment_intent_id text, stripe_charge_id text)
     WHERE asked.id = (answer->>'request_id')::uuid;
    RETURN true;
END $$;
"""


def upgrade() -> None:
    op.execute(RECORD)
    op.execute(WRITE)


def downgrade() -> None:
    op.execute("DROP FUNCTION write_authorization_decision(jsonb)")
    op.execute("DROP FUNCTION record_authorization_request(jsonb)")
