"""The SQL behind history.py: what each table has of a batch of purchases.

$1 and $2 of a batch are its first and last purchase, $3 how many there are in all, $4 how many
customers, $5 until when.
"""

PEOPLE = """
UPDATE customer
   SET first_name = (ARRAY['Ada','Grace','Maya','Oliver','Pia','Ravi','Wren','Holly'])[1 + n % 8],
       last_name = (ARRAY['Byron','Hopper','Lindqvist','Grant','Sorensen'])[1 + n % 5] || n,
       phone = '+1415' || lpad((5550000 + n)::text, 7, '0'),
       created_at = $1::timestamptz - interval '100 days' + n * interval '1 minute'
  FROM (SELECT id AS of, row_number() OVER (ORDER BY stripe_customer_id) AS n FROM customer) AS one
 WHERE id = of
"""
LINKED = """
UPDATE funding_source
   SET last4 = lpad((n % 10000)::text, 4, '0'), country = 'US', created_at = $1,
       funding = (ARRAY['credit', 'credit', 'debit', 'prepaid'])[1 + n % 4]
  FROM (SELECT id AS of, row_number() OVER (ORDER BY fingerprint) AS n FROM funding_source) AS one
 WHERE id = of
"""
CARDS_NUMBERED = """
UPDATE card SET last4 = lpad((n * 7 % 10000)::text, 4, '0'), created_at = $1
  FROM (SELECT id AS of, row_number() OVER (ORDER BY stripe_card_id) AS n FROM card) AS one
 WHERE id = of
"""
OWNERS = """
CREATE TEMPORARY TABLE bench_owner AS
SELECT row_number() OVER (ORDER BY card.stripe_card_id) - 1 AS number, card.id AS card_id,
       card.customer_id, source.id AS source_id
  FROM card JOIN funding_source AS source ON source.customer_id = card.customer_id
"""
FLOAT = """
INSERT INTO journal (reference, rule, occurred_at, currency, debits, credits, amounts, layers)
VALUES ('txn_float:capital_paid_in', 'capital_paid_in', $1, 'usd', '{1030}', '{3000}',
        '{20000000000}', '{posted}'),
       ('txn_float:top_up_sent', 'top_up_sent', $1, 'usd', '{1040}', '{1030}',
        '{20000000000}', '{posted}'),
       ('txn_float:top_up_arrived', 'top_up_arrived', $1, 'usd', '{1020}', '{1040}',
        '{20000000000}', '{posted}')
"""
# One row for each purchase with all that its other rows need. `luck` decides how it ends: some are
# declined by us or by a bank, some reversed, some given back in whole or in part, some owed.
STORY = """
CREATE TEMPORARY TABLE bench_story AS
WITH drawn AS (
    SELECT n, $5::timestamptz - interval '90 days' * (1 - n::float / $3) AS at,
           abs(hashint8extended(n, 1) % 1000) AS luck,
           abs(hashint8extended(n, 2) % 100000) AS size,
           abs(hashint8extended(n, 3) % 1440) AS minutes,
           abs(hashint8extended(n, 4) % 2000) AS shop, hashint8extended(n, 5) AS whose
      FROM generate_series($1::bigint, $2::bigint) AS n
), priced AS (
    SELECT drawn.*, at + minutes * interval '1 minute' AS ended_at,
           CASE WHEN size < 85000 THEN 200 + size % 9800 ELSE size - 75000 END AS amount,
           (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
            || substr(md5(n::text), 1, 3) || '8' || substr(md5(n::text), 4, 15))::uuid AS id
      FROM drawn
), ended AS (
    SELECT priced.*, (amount * 5 + 50) / 100 + 50 AS fee,
           CASE WHEN luck < 55 THEN 'ours' WHEN luck < 100 THEN 'bank'
                WHEN ended_at > $5 THEN 'open' WHEN luck < 120 THEN 'reversed'
                ELSE 'captured' END AS fate,
           luck BETWEEN 120 AND 149
           AND ended_at + minutes * interval '3 minutes' < $5 AS given_back,
           CASE WHEN luck < 140 THEN amount ELSE amount / 2 END AS back,
           luck = 150 AND n % 4 = 0 AS owed
      FROM priced
)
SELECT ended.*, left(id::text, 34) AS stem, ended.amount + ended.fee AS held,
       lpad(n::text, 8, '0') AS name,
       'iauth_h' || lpad(n::text, 8, '0') AS iauth, 'pi_h' || lpad(n::text, 8, '0') AS pi,
       ended_at + minutes * interval '3 minutes' AS back_at,
       CASE WHEN given_back THEN (2 * fee * back + amount) / (2 * amount) ELSE 0 END AS fee_back,
       ((amount + fee) * 29 + 500) / 1000 + 30 AS stripes, owner.card_id, owner.customer_id,
       owner.source_id, fate NOT IN ('ours', 'bank') AS approved, fate = 'captured' AS captured,
       (ARRAY['Blue Bottle', 'Gadget Outlet', 'Green Grocer', 'Night Owl Books', 'Corner Cafe',
              'Harbor Hotel', 'Metro Transit', 'City Pharmacy'])[1 + shop % 8]
           || CASE WHEN shop < 8 THEN '' ELSE ' ' || shop END AS merchant,
       (ARRAY['eating_places_restaurants', 'electronics_stores', 'grocery_stores_supermarkets',
              'book_stores', 'fast_food_restaurants', 'hotels_motels_and_resorts',
              'local_commuter_transport', 'drug_stores_and_pharmacies'])[1 + shop % 8] AS category,
       (ARRAY['US', 'US', 'US', 'US', 'CA', 'GB', 'DE', 'FR'])[1 + shop / 8 % 8] AS country,
       CASE fate WHEN 'ours' THEN
                (ARRAY['over_daily_limit', 'category_not_allowed', 'card_too_often', 'card_frozen',
                       'risk_score_too_high'])[1 + luck % 5]
                WHEN 'bank' THEN
                (ARRAY['bank_declined', 'bank_insufficient_funds'])[1 + luck % 2] END AS reason
  FROM ended JOIN bench_owner AS owner ON owner.number = abs(ended.whose % $4)
"""
PURCHASES = """
INSERT INTO card_authorization (
    id, created_at, stripe_authorization_id, card_id, customer_id, occurred_at, state, approved,
    amount_minor, currency, merchant_name, merchant_category, merchant_country, merchant_city,
    merchant_network_id, fence, not_handled)
SELECT id, at, iauth, card_id, customer_id, at,
       CASE fate WHEN 'open' THEN 'pending' WHEN 'reversed' THEN 'reversed' ELSE 'closed' END,
       approved, amount, 'usd', merchant, category, country, 'San Francisco', shop::text, 1,
       CASE WHEN n % 50000 = 7 THEN 'A person has to look at this one.' END
  FROM bench_story
"""
REQUESTS = """
INSERT INTO authorization_request (
    id, created_at, authorization_id, card_id, customer_id, ordinal, stripe_event_id, requested_at,
    amount_minor, currency, approved_before_minor, approved_minor, reserved_minor, open,
    funding_mode, funding_source_ids, fee_minor, state, reason, decided_at, step_ms,
    stripe_approved, verified_at, verify_after, risk_score, price_plan_id)
SELECT id, at, id, card_id, customer_id, 0, 'evt_q' || name, at, amount, 'usd', 0,
       CASE WHEN approved THEN amount END, CASE WHEN fate = 'open' THEN amount ELSE 0 END,
       fate = 'open', 'hold', ARRAY[source_id], fee,
       CASE WHEN approved THEN 'approved' ELSE 'declined' END, reason, at,
       jsonb_build_object('verify', 1, 'record', 4, 'decide', 1, 'hold', 200, 'total', 200 + luck),
       approved, at, at, minutes % 60, (SELECT id FROM price_plan LIMIT 1)
  FROM bench_story
"""
RECORDS = """
INSERT INTO flight_record (request_id, facts, verdicts) SELECT id, '{}', '[]' FROM bench_story
"""
CHARGES = """
INSERT INTO charge (
    id, created_at, customer_id, funding_source_id, purchase_id, request_id, attempt,
    idempotency_key, amount_minor, principal_minor, captured_minor, captured_principal_minor,
    refunded_minor, currency, state, decline_code, capture_before, processing_fee_minor,
    stripe_balance_transaction_id, stripe_payment_intent_id, stripe_charge_id)
SELECT id, at, customer_id, source_id, id, id, 1, 'auth:' || iauth || ':0:1', held, amount,
       CASE WHEN captured THEN held ELSE 0 END, CASE WHEN captured THEN amount END,
       CASE WHEN captured AND given_back THEN back + fee_back ELSE 0 END, 'usd',
       CASE fate WHEN 'bank' THEN 'declined' WHEN 'open' THEN 'held'
                 WHEN 'reversed' THEN 'canceled' ELSE 'captured' END,
       CASE fate WHEN 'bank' THEN 'generic_decline' END,
       CASE WHEN approved THEN at + interval '7 days' END, CASE WHEN captured THEN stripes END,
       CASE WHEN captured THEN 'txn_c' || name END, pi, 'ch_h' || name
  FROM bench_story WHERE fate <> 'ours'
"""
TRANSACTIONS = """
INSERT INTO card_transaction (
    id, created_at, stripe_transaction_id, authorization_id, card_id, customer_id, kind,
    occurred_at, amount_minor, currency, merchant_name, fee_minor, earned_minor, unmatched)
SELECT (stem || to_hex(ascii(letter)))::uuid, moved_at, 'ipi_' || letter || name,
       CASE WHEN known THEN id END, card_id, customer_id,
       kind, moved_at, minor, 'usd', merchant, charged, charged, NOT known
  FROM bench_story, LATERAL (VALUES
    (captured, 'h', 'capture', ended_at, -amount, fee, true),
    (captured AND owed, 'o', 'capture', ended_at, -amount / 5, 0::bigint, true),
    (captured AND given_back, 'r', 'refund', back_at, back, 0::bigint, true),
    (n % 50000 = 9, 'u', 'refund', at, 1500::bigint, 0::bigint, false))
    AS made (is_so, letter, kind, moved_at, minor, charged, known)
 WHERE is_so
"""
REFUNDS = """
INSERT INTO refund (
    id, created_at, charge_id, customer_id, purchase_id, purpose, amount_minor, principal_minor,
    deferred_fee_minor, returned_fee_minor, currency, state, stripe_refund_id,
    stripe_balance_transaction_id)
SELECT id, back_at, id, customer_id, id, 'merchant_refund', back + fee_back, back, 0,
       fee_back, 'usd', 'succeeded', 're_h' || name, 'txn_r' || name
  FROM bench_story WHERE captured AND given_back
"""
DEBTS = """
INSERT INTO receivable (
    id, created_at, customer_id, purchase_id, opened_at, amount_minor, lowered_minor, currency,
    refund_reversed, state, attempts, next_attempt_at, decline_code)
SELECT id, ended_at, customer_id, id, ended_at, amount / 5, 0, 'usd', false, 'open', 3,
       $1::timestamptz + interval '1 day', 'insufficient_funds'
  FROM bench_story WHERE captured AND owed
"""
# docs/ledger.md has the rules.
JOURNALS = """
INSERT INTO journal (
    reference, rule, occurred_at, purchase_id, customer_id, currency, debits, credits, amounts,
    layers)
SELECT subject || ':' || rule, rule, made_at, CASE WHEN known THEN id END,
       CASE WHEN known THEN customer_id END, 'usd', debits, credits, amounts, layers
  FROM bench_story, LATERAL (VALUES
    (approved, pi, 'linked_card_held', at, '{1010,1010}'::text[], '{2000,2300}'::text[],
     ARRAY[amount, fee], '{held,held}'::text[], true),
    (approved, 'txn_h' || name, 'network_hold_placed', at, '{2000}', '{1020}', ARRAY[amount],
     '{held}', true),
    (approved AND fate <> 'open', 'txn_e' || name, 'network_hold_released', ended_at, '{1020}',
     '{2000}', ARRAY[amount], '{held}', true),
    (fate = 'reversed', pi, 'linked_card_released', ended_at, '{2000,2300}', '{1010,1010}',
     ARRAY[amount, fee], '{held,held}', true),
    (captured, pi, 'linked_card_captured', ended_at, '{2000,2300,1010,1010}',
     '{1010,1010,2000,2300}', ARRAY[amount, fee, amount, fee], '{held,held,posted,posted}', true),
    (captured, 'ipi_h' || name, 'merchant_captured', ended_at, '{2000}', '{1020}', ARRAY[amount],
     '{posted}', true),
    (captured, 'ipi_h' || name, 'fee_earned', ended_at, '{2300}', '{4000}', ARRAY[fee],
     '{posted}', true),
    (captured, 'txn_c' || name, 'processing_fee', ended_at, '{5000}', '{1010}', ARRAY[stripes],
     '{posted}', true),
    (captured AND owed, 'ipi_o' || name, 'merchant_captured', ended_at, '{2000}', '{1020}',
     ARRAY[amount / 5], '{posted}', true),
    (captured AND owed, id::text, 'receivable_opened', ended_at, '{1100}', '{2000}',
     ARRAY[amount / 5], '{posted}', true),
    (captured AND given_back, 'ipi_r' || name, 'merchant_refunded', back_at, '{1020}', '{2000}',
     ARRAY[back], '{posted}', true),
    (captured AND given_back, 're_h' || name, 'refund_owed', back_at, '{2000,4010}', '{2100,2100}',
     ARRAY[back, fee_back], '{posted,posted}', true),
    (captured AND given_back, 're_h' || name, 'refund_paid', back_at, '{2100}', '{1010}',
     ARRAY[back + fee_back], '{posted}', true),
    (n % 50000 = 9, 'ipi_u' || name, 'unmatched_refund_came', at, '{1020}', '{2100}',
     ARRAY[1500::bigint], '{posted}', false))
    AS made (is_so, subject, rule, made_at, debits, credits, amounts, layers, known)
 WHERE is_so
"""
MOVEMENTS = """
INSERT INTO balance_transaction (
    id, created_at, stripe_balance_transaction_id, balance_type, type, amount_minor, fee_minor,
    net_minor, currency, source, occurred_at, available_at, journal_reference)
SELECT (stem || to_hex(ascii(letter)))::uuid, moved_at, 'txn_' || letter || name, balance, type,
       minor, charged, minor - charged, 'usd', source, moved_at, moved_at, reference
  FROM bench_story, LATERAL (VALUES
    (approved, 'h', 'issuing', 'issuing_authorization_hold', at, -amount, 0::bigint, iauth,
     'txn_h' || name || ':network_hold_placed'),
    (approved AND fate <> 'open', 'e', 'issuing', 'issuing_authorization_release', ended_at, amount,
     0, iauth, 'txn_e' || name || ':network_hold_released'),
    (captured, 'i', 'issuing', 'issuing_transaction', ended_at, -amount, 0, 'ipi_h' || name,
     'ipi_h' || name || ':merchant_captured'),
    (captured, 'c', 'payments', 'charge', ended_at, held, stripes, 'ch_h' || name,
     'txn_c' || name || ':processing_fee'),
    (captured AND given_back, 'b', 'issuing', 'issuing_transaction', back_at, back, 0,
     'ipi_r' || name, 'ipi_r' || name || ':merchant_refunded'),
    (captured AND given_back, 'r', 'payments', 'refund', back_at, -(back + fee_back), 0,
     're_h' || name, 're_h' || name || ':refund_paid'),
    (n % 200000 = 11, 'x', 'payments', 'adjustment', at, -1234::bigint, 0, NULL, NULL))
    AS made (is_so, letter, balance, type, moved_at, minor, charged, source, reference)
 WHERE is_so
"""
EVENTS = """
INSERT INTO inbound_event (
    id, created_at, stripe_event_id, type, object_id, occurred_at, payload, state, attempts,
    failure, processed_at)
SELECT (stem || to_hex(ascii(letter)))::uuid, told_at, 'evt_' || letter || name, type, object,
       told_at,
       jsonb_build_object('id', object, 'object', split_part(type, '.', 1), 'amount', amount,
                          'currency', 'usd', 'metadata', jsonb_build_object('purchase', id)),
       CASE WHEN fails THEN 'failed' ELSE 'done' END, 1,
       CASE WHEN fails THEN 'It says nothing that can be acted on.' END, told_at
  FROM bench_story, LATERAL (VALUES
    (approved, 'a', 'issuing_authorization.created', iauth, at, n % 50000 = 3),
    (approved AND fate <> 'open', 'b', 'issuing_authorization.updated', iauth, ended_at, false),
    (captured, 'c', 'issuing_transaction.created', 'ipi_h' || name, ended_at, false),
    (captured, 'd', 'charge.captured', 'ch_h' || name, ended_at, false))
    AS made (is_so, letter, type, object, told_at, fails)
 WHERE is_so
"""
LETTERS = """
INSERT INTO mail (id, created_at, recipient, kind, subject, text, state, attempts, sent_at)
SELECT id, at, 'bench' || n % $1 || '@example.com', 'new_device',
       'Somebody signed in', 'Was it you?', CASE WHEN n % 50000 = 5 THEN 'failed' ELSE 'sent' END,
       1, at
  FROM bench_story WHERE n % 5 = 0
"""
TRAIL = """
INSERT INTO audit_entry (
    id, created_at, actor_kind, action, subject_kind, subject_id, after, address, request_id)
SELECT id, at, 'customer',
       (ARRAY['card.freeze', 'card.unfreeze', 'customer.read'])[1 + luck % 3], 'customer',
       customer_id, '{}', '203.0.113.7', 'req' || n
  FROM bench_story WHERE n % 5 = 1
"""
WORK = """
INSERT INTO pgqueuer_log (created, job_id, status, priority, entrypoint, aggregated)
SELECT at, n, 'successful', 0, 'process_event', true FROM bench_story WHERE n % 5 = 2
"""
ORDERS = """
INSERT INTO mirror_order (id, created_at, kind, subject_id, wanted, attempts, sent_at)
SELECT id, at, 'card', card_id, '{"status": "active"}', 1, at
  FROM bench_story WHERE n % 50 = 4
"""
BATCH = (PURCHASES, REQUESTS, RECORDS, CHARGES, TRANSACTIONS, REFUNDS, JOURNALS, MOVEMENTS, EVENTS)
"""What a batch is written with; of these, none needs to be told more than its story."""
OF_BATCH = (*BATCH, TRAIL, WORK, ORDERS)

# Filling an empty table and indexing it whole is some times faster than keeping its indexes right.
INDEXES = """
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS made
  FROM pg_index WHERE indrelid = ANY ($1::text[]::regclass[]) AND NOT indisunique
 ORDER BY indexrelid
"""
REFERENCES = """
SELECT conrelid::regclass::text AS of, quote_ident(conname) AS name,
       pg_get_constraintdef(oid) AS made
  FROM pg_constraint WHERE conrelid = ANY ($1::text[]::regclass[]) AND contype = 'f' ORDER BY oid
"""
GROWN = (
    *("card_authorization", "authorization_request", "charge", "card_transaction", "refund"),
    *("receivable", "journal", "balance_transaction", "inbound_event", "mail", "audit_entry"),
)
