"""All that our records have of a purchase, in a few lines, for who looks into a violation."""

import re

from tests.product import Product

PURCHASE = re.compile(r"(?:iauth|ipi)_\w+")
RECORDS = """
SELECT 'now' AS at, 'purchase' AS what, concat_ws(' ', state, amount_minor, not_handled,
       'settle after', settle_after) AS told
  FROM card_authorization WHERE stripe_authorization_id = :name
UNION ALL
SELECT r.created_at::text, 'request ' || r.ordinal, concat_ws(' ', r.state, r.reason,
       r.amount_minor, r.approved_minor, r.stripe_approved, r.stripe_reason, r.verified_at)
  FROM authorization_request AS r JOIN card_authorization AS p ON p.id = r.authorization_id
 WHERE p.stripe_authorization_id = :name
UNION ALL
SELECT c.created_at::text, 'charge ' || c.idempotency_key, concat_ws(' ', c.purpose, c.mode,
       c.state, c.amount_minor, c.principal_minor, c.captured_minor, c.refunded_minor,
       c.decline_code, c.advice_code)
  FROM charge AS c JOIN card_authorization AS p ON p.id = c.purchase_id
 WHERE p.stripe_authorization_id = :name
UNION ALL
SELECT r.created_at::text, 'refund', concat_ws(' ', r.purpose, r.state, r.amount_minor,
       r.principal_minor, r.deferred_fee_minor, r.returned_fee_minor,
       r.withdrawn_principal_minor, r.withdrawn_fee_minor, r.paid_outside_minor)
  FROM refund AS r JOIN card_authorization AS p ON p.id = r.purchase_id
 WHERE p.stripe_authorization_id = :name
UNION ALL
SELECT d.created_at::text, 'debt', concat_ws(' ', d.state, d.amount_minor, d.lowered_minor,
       d.attempts, d.refund_reversed, d.next_attempt_at, d.advice_code)
  FROM receivable AS d JOIN card_authorization AS p ON p.id = d.purchase_id
 WHERE p.stripe_authorization_id = :name
UNION ALL
SELECT m.created_at::text, m.kind || ' ' || m.stripe_transaction_id, concat_ws(' ',
       m.amount_minor, m.fee_minor, m.earned_minor, m.unmatched)
  FROM card_transaction AS m JOIN card_authorization AS p ON p.id = m.authorization_id
 WHERE p.stripe_authorization_id = :name
UNION ALL
SELECT recorded_at::text, 'journal ' || reference, concat_ws(' ', debits, credits, amounts, layers)
  FROM journal AS j JOIN card_authorization AS p ON p.id = j.purchase_id
 WHERE p.stripe_authorization_id = :name
 ORDER BY 1, 2
"""


async def about(product: Product, name: str) -> list[str]:
    """Give our records of a purchase by Stripe's id, oldest first."""
    rows = await product.rows(RECORDS, name=name)
    return [f"  {row['at'][11:23]} {row['what']}: {row['told']}" for row in rows]
