"""What must be true of the books once nothing is under way, held against Stripe's own balances."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.jobs.catalogue import regular_jobs
from app.jobs.regular import run_named
from tests.product import Product
from tests.waiting import until

BALANCES = """
SELECT account, layer, sum(amount)::bigint AS net FROM (
    SELECT debit AS account, layer, amount_minor AS amount FROM posting WHERE currency = 'usd'
    UNION ALL
    SELECT credit, layer, -amount_minor FROM posting WHERE currency = 'usd') AS entry
 GROUP BY account, layer
"""
NOT_CLEARED = """
SELECT p.stripe_authorization_id AS purchase, entry.account, entry.layer, sum(amount) AS net
  FROM (SELECT purchase_id, debit AS account, layer, amount_minor AS amount FROM posting
        UNION ALL SELECT purchase_id, credit, layer, -amount_minor FROM posting) AS entry
  JOIN card_authorization AS p ON p.id = entry.purchase_id
 WHERE entry.account IN ('2000', '2300') AND p.state <> 'pending' AND p.not_handled IS NULL
   AND NOT EXISTS (SELECT FROM authorization_request AS r
                    WHERE r.authorization_id = p.id AND r.verified_at IS NULL)
 GROUP BY 1, 2, 3 HAVING sum(amount) <> 0
"""
UNMATCHED = """
SELECT stripe_balance_transaction_id AS name, type FROM balance_transaction
 WHERE journal_reference IS NULL
"""

Balances = Mapping[tuple[str, str], int]


async def balances(product: Product) -> Balances:
    """Give every account's balance by layer, in cents: debits less credits."""
    return {(row["account"], row["layer"]): row["net"] for row in await product.rows(BALANCES)}


async def book_problems(product: Product) -> list[str]:
    """Say what is wrong in the books."""
    if product.settings.balance_every_seconds > 1:
        await run_named(product.parts.sessions, regular_jobs(product.parts), "match_balance")
    told = await product.call("GET", "/v1/balance")
    ours = await balances(product)
    return [
        *_stripe_agrees(ours, told),
        *[
            f"{row['purchase']}: {row['account']} {row['layer']} is {row['net']}, not cleared"
            for row in await product.rows(NOT_CLEARED)
        ],
        *[
            f"{row['name']} ({row['type']}) is in no journal"
            for row in await product.rows(UNMATCHED)
        ],
    ]


async def all_written(product: Product) -> None:
    """Wait until every transaction that has begun on this server so far has ended.

    The server counts them for all its databases, those of other tests as well, and what is sealed
    or summed up goes only as far as none of them can still add to.
    """
    [now] = await product.rows("SELECT pg_current_xact_id()::text::bigint AS number")
    oldest = "SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS number"

    async def ended() -> bool:
        [running] = await product.rows(oldest)
        return bool(running["number"] > now["number"])

    await until(ended, why="an older transaction goes on")


def _stripe_agrees(ours: Balances, told: dict[str, Any]) -> Iterator[str]:
    payments = _usd(told["available"]) + _usd(told["pending"])
    # What an authorization holds is gone from Stripe's Issuing balance already.
    issuing = ours.get(("1020", "posted"), 0) + ours.get(("1020", "held"), 0)
    if ours.get(("1010", "posted"), 0) != payments:
        yield f"1010 is {ours.get(('1010', 'posted'), 0)}, and Stripe has {payments}"
    if issuing != _usd(told["issuing"]["available"]):
        yield f"1020 is {issuing}, and Stripe has {_usd(told['issuing']['available'])}"


def _usd(amounts: list[dict[str, Any]]) -> int:
    return sum(one["amount"] for one in amounts if one["currency"] == "usd")
