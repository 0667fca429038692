"""Customers with a card each, and as many stored purchases as asked for, by plain SQL."""

import asyncpg

CARDS = 10_000
ENDLESS_MINOR = 10**15
ENDLESS = 10**9
STORED_AT_FIRST = 10_000
"""An empty database is no measure: PostgreSQL plans for one in ways that no product knows."""
STORED_AT_ONCE = 50_000

CUSTOMERS = """
INSERT INTO customer (
    id, email, first_name, last_name, birth_date, phone, address_line1, city, postal_code, country,
    terms_accepted_at, terms_accepted_ip, state, currency, exposure_limit_minor,
    stripe_customer_id, stripe_cardholder_id)
SELECT gen_random_uuid(), 'bench' || n || '@example.com', 'Ada', 'Byron', '1985-12-10',
       '+14155550100', '510 Townsend St', 'San Francisco', '94103', 'US', now(), '203.0.113.7',
       'active', 'usd', $2, 'cus_' || n, 'ich_' || n
  FROM generate_series(1, $1) AS n
"""
SOURCES = """
INSERT INTO funding_source (
    id, customer_id, stripe_payment_method_id, priority, is_default, brand, last4, exp_month,
    exp_year, funding, fingerprint, state)
SELECT gen_random_uuid(), id, 'pm_' || stripe_customer_id, 1, true, 'visa', '4242', 12, 2030,
       'credit', 'f_' || stripe_customer_id, 'active'
  FROM customer
"""
ISSUED = """
INSERT INTO card (
    id, customer_id, stripe_card_id, nickname, last4, exp_month, exp_year, state, currency,
    daily_limit_minor, monthly_limit_minor, allowed_categories, blocked_categories,
    allowed_countries, blocked_countries, single_use)
SELECT gen_random_uuid(), id, 'ic_' || stripe_customer_id, 'Card', '1234', 12, 2029, 'active',
       'usd', $1, $1, '{}', '{}', '{}', '{}', false
  FROM customer
"""
# The rules stay and are counted for; only no purchase of the bench goes over one.
RULES_OUT_OF_REACH = """
UPDATE decision_rule
   SET condition = condition || (
       SELECT jsonb_object_agg(name, CASE name WHEN 'amount_minor' THEN $1::bigint ELSE $2 END)
         FROM jsonb_object_keys(condition) AS name
        WHERE name IN ('amount_minor', 'purchases', 'declines', 'probes'))
 WHERE condition ?| ARRAY['amount_minor', 'purchases', 'declines', 'probes']
"""
# In order of time over the last ninety days, with ids that sort by time as the product's do, and
# settled, so that they count for the windows they fall into and for nothing else.
PURCHASES = """
WITH stored AS (
    SELECT n, owned.id AS card_id, owned.customer_id,
           now() - interval '90 days' * (1 - n::float / $3) AS at
      FROM generate_series($1::bigint, $2::bigint) AS n
      JOIN bench_card AS owned ON owned.number = n * 7919 % $4
), asked AS (
    SELECT stored.*, (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
           || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid AS id
      FROM stored
), purchase AS (
    INSERT INTO card_authorization (
        id, created_at, stripe_authorization_id, card_id, customer_id, occurred_at, state,
        approved, amount_minor, currency, merchant_name, merchant_category, merchant_country,
        merchant_city, merchant_network_id, fence)
    SELECT id, at, 'iauth_stored_' || n, card_id, customer_id, at, 'closed', true, 1999, 'usd',
           'Blue Bottle', 'fast_food_restaurants', 'US', 'San Francisco', '1234567890', 1
      FROM asked
), request AS (
    INSERT INTO authorization_request (
        id, created_at, authorization_id, card_id, customer_id, ordinal, stripe_event_id,
        requested_at, amount_minor, currency, approved_before_minor, approved_minor,
        reserved_minor, open, funding_mode, funding_source_ids, fee_minor, state, decided_at,
        step_ms, stripe_approved, verified_at, verify_after)
    SELECT id, at, id, card_id, customer_id, 0, 'evt_stored_' || n, at, 1999, 'usd', 0, 1999, 1999,
           false, 'hold', '{}', 150, 'approved', at, '{"total": 200}', true, at, at
      FROM asked
), record AS (
    INSERT INTO flight_record (request_id, facts, verdicts) SELECT id, '{}', '[]' FROM asked
), journals AS (
    INSERT INTO journal (
        reference, rule, occurred_at, purchase_id, customer_id, currency, debits, credits,
        amounts, layers)
    SELECT 'pi_stored_' || n || ':' || rule, rule, at, id, customer_id, 'usd', debits, credits,
           '{1999,150}', layers
      FROM asked, (VALUES
        ('linked_card_held', '{1010,1010}'::text[], '{2000,2300}'::text[], '{held,held}'::text[]),
        ('linked_card_captured', '{2000,2300}', '{1010,1010}', '{held,held}'))
        AS made (rule, debits, credits, layers)
)
INSERT INTO charge (
    id, created_at, customer_id, purchase_id, request_id, attempt, idempotency_key, amount_minor,
    principal_minor, captured_minor, captured_principal_minor, refunded_minor, currency, state,
    processing_fee_minor, stripe_balance_transaction_id, stripe_payment_intent_id,
    stripe_charge_id)
SELECT id, at, customer_id, id, id, 1, 'auth:iauth_stored_' || n || ':0:1', 2149, 1999, 2149,
       1999, 0, 'usd', 'captured', 92, 'txn_stored_' || n, 'pi_stored_' || n, 'ch_stored_' || n
  FROM asked
"""
GROWN = ("card_authorization", "authorization_request", "flight_record", "charge", "journal")


async def open_cards(owner_url: str, stored: int = STORED_AT_FIRST) -> list[str]:
    """Make customers with a linked and a virtual card each, and purchases that they have made.

    Gives the cards' ids at Stripe.
    """
    connection = await asyncpg.connect(owner_url, command_timeout=900)
    try:
        await connection.execute(CUSTOMERS, CARDS, ENDLESS_MINOR)
        await connection.execute(SOURCES)
        await connection.execute(ISSUED, ENDLESS_MINOR)
        await connection.execute(RULES_OUT_OF_REACH, ENDLESS_MINOR, ENDLESS)
        await connection.execute(
            "CREATE TEMPORARY TABLE bench_card AS"
            " SELECT id, customer_id, row_number() OVER () - 1 AS number FROM card"
        )
        await connection.execute("ANALYZE bench_card")
        for first in range(1, stored + 1, STORED_AT_ONCE):
            last = min(first + STORED_AT_ONCE - 1, stored)
            await connection.execute(PURCHASES, first, last, stored, CARDS)
        await connection.execute("VACUUM ANALYZE")
        await connection.execute("CHECKPOINT")
        rows = await connection.fetch("SELECT stripe_card_id FROM card")
    finally:
        await connection.close()
    return [row["stripe_card_id"] for row in rows]
