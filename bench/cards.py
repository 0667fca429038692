"""Customers with a card each, and as many stored purchases as asked for, by plain SQL."""

import asyncpg

CARDS = 1_000
ENDLESS_MINOR = 10**15

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
# Spread over the last ninety days, settled, so that only this month's count for a card's limits.
PURCHASES = """
WITH made AS (
    INSERT INTO card_authorization (
        id, stripe_authorization_id, card_id, customer_id, occurred_at, state, approved,
        amount_minor, currency, merchant_name, merchant_category, fence)
    SELECT gen_random_uuid(), 'iauth_stored_' || n, owned.id, owned.customer_id,
           now() - interval '90 days' * random(), 'closed', true, 1999, 'usd', 'Blue Bottle',
           'fast_food_restaurants', 1
      FROM generate_series($1::bigint, $2::bigint) AS n
      JOIN (SELECT id, customer_id, row_number() OVER () - 1 AS number FROM card) AS owned
        ON owned.number = n % $3
    RETURNING *)
INSERT INTO authorization_request (
    id, authorization_id, card_id, customer_id, ordinal, stripe_event_id, requested_at,
    amount_minor, currency, approved_before_minor, reserved_minor, open, funding_mode,
    funding_source_ids, fee_minor, state, decided_at, step_ms, stripe_approved, verified_at,
    verify_after)
SELECT gen_random_uuid(), id, card_id, customer_id, 0, 'evt_' || id, occurred_at, 1999, 'usd', 0,
       1999, false, 'hold', '{}', 150, 'approved', occurred_at, '{"total": 200}', true,
       occurred_at, occurred_at
  FROM made
"""


async def open_cards(owner_url: str) -> list[str]:
    """Make a thousand customers with a linked and a virtual card each; give the cards' ids."""
    connection = await asyncpg.connect(owner_url)
    await connection.execute(CUSTOMERS, CARDS, ENDLESS_MINOR)
    await connection.execute(SOURCES)
    await connection.execute(ISSUED, ENDLESS_MINOR)
    rows = await connection.fetch("SELECT stripe_card_id FROM card")
    await connection.close()
    return [row["stripe_card_id"] for row in rows]


async def store_purchases(owner_url: str, first: int, last: int) -> None:
    """Store purchases numbered from first to last, and let the planner know."""
    connection = await asyncpg.connect(owner_url, command_timeout=900)
    await connection.execute(PURCHASES, first, last, CARDS)
    await connection.execute("VACUUM ANALYZE card_authorization")
    await connection.execute("VACUUM ANALYZE authorization_request")
    await connection.close()
