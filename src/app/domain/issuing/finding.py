"""Purchases found by what somebody reads out on the phone: an amount, an id, a merchant.

Each is looked up by an index, so it takes as long among a million purchases as among ten.
"""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.issuing.models import Authorization

_MOST_MERCHANTS = 20

# By amount: what was asked, taken and given back, and what the linked card was charged or refunded.
_BY_AMOUNT = text("""
SELECT * FROM (
    (SELECT authorization_id AS id, 'asked for' AS why, requested_at AS at
       FROM authorization_request WHERE amount_minor = :minor
      ORDER BY created_at DESC LIMIT :most)
    UNION ALL
    (SELECT authorization_id, CASE WHEN amount_minor < 0 THEN 'taken by the merchant'
                                   ELSE 'given back by the merchant' END, occurred_at
       FROM card_transaction
      WHERE amount_minor IN (:minor, -:minor) AND authorization_id IS NOT NULL
      ORDER BY created_at DESC LIMIT :most)
    UNION ALL
    (SELECT purchase_id, CASE state WHEN 'held' THEN 'held on the linked card'
                                    WHEN 'declined' THEN 'tried on the linked card'
                                    WHEN 'canceled' THEN 'held on the linked card, and released'
                                    ELSE 'charged to the linked card' END, created_at
       FROM charge WHERE amount_minor = :minor ORDER BY created_at DESC LIMIT :most)
    UNION ALL
    (SELECT purchase_id, 'charged to the linked card', created_at
       FROM charge WHERE captured_minor = :minor AND captured_minor > 0
      ORDER BY created_at DESC LIMIT :most)
    UNION ALL
    (SELECT purchase_id, 'refunded to the linked card', created_at
       FROM refund WHERE amount_minor = :minor ORDER BY created_at DESC LIMIT :most)
) AS found ORDER BY at DESC LIMIT :all
""")
_BY_ID = text("""
SELECT id, 'purchase' AS why, occurred_at AS at FROM card_authorization
 WHERE stripe_authorization_id = :term
UNION ALL
SELECT authorization_id, 'card transaction', occurred_at FROM card_transaction
 WHERE stripe_transaction_id = :term AND authorization_id IS NOT NULL
UNION ALL
SELECT purchase_id, 'payment intent', created_at FROM charge
 WHERE stripe_payment_intent_id = :term
UNION ALL
SELECT purchase_id, 'charge', created_at FROM charge
 WHERE stripe_charge_id = :term AND stripe_charge_id IS NOT NULL
UNION ALL
SELECT purchase_id, 'refund', created_at FROM refund WHERE stripe_refund_id = :term
UNION ALL
SELECT authorization_id, 'request', requested_at FROM authorization_request
 WHERE stripe_event_id = :term
""")
# What Stripe booked on our balance names what it came from, and the journal that has it here.
_BY_MOVEMENT = text("""
WITH moved AS (
    SELECT source, journal_reference, occurred_at AS at FROM balance_transaction
     WHERE stripe_balance_transaction_id = :term
)
SELECT one.id, 'balance transaction' AS why, moved.at
  FROM moved JOIN card_authorization AS one ON one.stripe_authorization_id = moved.source
UNION ALL
SELECT one.authorization_id, 'balance transaction', moved.at
  FROM moved JOIN card_transaction AS one ON one.stripe_transaction_id = moved.source
 WHERE one.authorization_id IS NOT NULL
UNION ALL
SELECT one.purchase_id, 'balance transaction', moved.at
  FROM moved JOIN charge AS one ON one.stripe_charge_id = moved.source
 WHERE one.stripe_charge_id IS NOT NULL
UNION ALL
SELECT one.purchase_id, 'balance transaction', moved.at
  FROM moved JOIN refund AS one ON one.stripe_refund_id = moved.source
UNION ALL
SELECT one.purchase_id, 'balance transaction', moved.at
  FROM moved JOIN journal AS one ON one.reference = moved.journal_reference
 WHERE one.purchase_id IS NOT NULL
""")
# Each name is stepped to by the index once, however many purchases it has.
_MERCHANTS = text("""
WITH RECURSIVE name AS (
    (SELECT merchant_name AS text FROM card_authorization ORDER BY merchant_name LIMIT 1)
    UNION ALL
    SELECT (SELECT merchant_name FROM card_authorization
             WHERE merchant_name > name.text ORDER BY merchant_name LIMIT 1)
      FROM name WHERE name.text IS NOT NULL
)
SELECT text FROM name WHERE text ILIKE :part ORDER BY length(text), text LIMIT :most
""")
_AT_MERCHANT = text("""
SELECT found.id, 'merchant' AS why, found.at
  FROM unnest(CAST(:names AS text[])) AS wanted (name)
 CROSS JOIN LATERAL (
       SELECT id, occurred_at AS at, created_at FROM card_authorization
        WHERE merchant_name = wanted.name ORDER BY created_at DESC LIMIT :most) AS found
 ORDER BY found.created_at DESC LIMIT :most
""")


class Hit(msgspec.Struct, frozen=True):
    """A purchase, and by what it was found."""

    purchase_id: UUID
    why: Sequence[str]


async def by_amount(session: AsyncSession, amount_minor: int, most: int) -> list[Hit]:
    """Find purchases of which a part had exactly this amount, newest first."""
    values = {"minor": amount_minor, "most": most, "all": 5 * most}
    return _hits(await session.execute(_BY_AMOUNT, values), most)


async def by_stripe_id(session: AsyncSession, term: str, most: int) -> list[Hit]:
    """Find the purchases that an object of Stripe's belongs to."""
    return _hits(await session.execute(_BY_ID, {"term": term}), most)


async def by_movement(session: AsyncSession, term: str, most: int) -> list[Hit]:
    """Find the purchase that one of Stripe's balance transactions belongs to, by the id of that."""
    return _hits(await session.execute(_BY_MOVEMENT, {"term": term}), most)


async def by_own_id(session: AsyncSession, purchase_id: UUID) -> list[Hit]:
    """Find the purchase that has this id of ours, which its customer sees too."""
    known = await session.get(Authorization, purchase_id)
    return [Hit(known.id, ["purchase"])] if known else []


async def by_merchant(session: AsyncSession, part: str, most: int) -> list[Hit]:
    """Find the latest purchases at merchants whose name holds the text."""
    escaped = part.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    values = {"part": f"%{escaped}%", "most": _MOST_MERCHANTS}
    names = list(await session.scalars(_MERCHANTS, values))
    if not names:
        return []
    return _hits(await session.execute(_AT_MERCHANT, {"names": names, "most": most}), most)


def _hits(rows: object, most: int) -> list[Hit]:
    found: dict[UUID, list[str]] = {}
    for purchase_id, why, _ in rows:  # type: ignore[attr-defined]
        said = found.setdefault(purchase_id, [])
        if why not in said:
            said.append(why)
    return [Hit(purchase_id, said) for purchase_id, said in list(found.items())[:most]]
