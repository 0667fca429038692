"""What must be true whenever nothing is under way, beside what the oracle says.

The left side of each equation is Stripe's, the right side comes from our books.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from app.jobs.catalogue import regular_jobs
from app.jobs.regular import run_named
from stripe_sandbox.books import violations
from tests.oracle import kept, listed, oracle
from tests.product import Product
from tests.soak.coverage import Coverage
from tests.soak.scene import Scene
from tests.soak.story import PURCHASE, about
from tests.waiting import until

UNPAID = """
SELECT stripe_authorization_id AS name FROM card_authorization
 WHERE not_handled LIKE '%nobody has paid%'
"""
OWED = """
SELECT stripe_authorization_id AS name FROM card_authorization AS purchase
 WHERE EXISTS (SELECT FROM receivable WHERE purchase_id = purchase.id)
    OR EXISTS (SELECT FROM refund
                WHERE purchase_id = purchase.id AND (state = 'failed' OR purpose = 'goodwill'))
    OR EXISTS (SELECT FROM card_transaction AS moved
                WHERE authorization_id = purchase.id AND moved.unmatched)
    OR EXISTS (SELECT FROM card_transaction AS back JOIN card_transaction AS taken
                   ON taken.authorization_id = back.authorization_id
                WHERE back.authorization_id = purchase.id AND back.kind = 'refund'
                  AND taken.kind = 'capture' AND taken.created_at > back.created_at)
"""
"""Not what the oracle reckons with, as what staff gave. The last: a fee went back in proportion to
what was taken then, and more was taken afterwards."""
SENT_BACK = """
SELECT stripe_authorization_id AS name FROM card_authorization AS purchase
 WHERE EXISTS (SELECT FROM refund WHERE purchase_id = purchase.id AND state = 'failed')
"""
BY_CUSTOMER = """
SELECT coalesce(c.stripe_customer_id, 'nobody') AS name, account, layer,
       sum(amount)::bigint AS net
  FROM (SELECT customer_id, debit AS account, layer, amount_minor AS amount FROM posting
        UNION ALL SELECT customer_id, credit, layer, -amount_minor FROM posting) AS entry
  LEFT JOIN customer AS c ON c.id = entry.customer_id
 GROUP BY 1, 2, 3
"""
DEBTS = """
SELECT c.stripe_customer_id AS name, sum(amount_minor - lowered_minor)::bigint AS owed
  FROM receivable AS r JOIN customer AS c ON c.id = r.customer_id
 WHERE r.state = 'open' GROUP BY 1
"""
MERCHANTS = """
SELECT coalesce(c.stripe_customer_id, 'nobody') AS name, sum(amount_minor)::bigint AS net
  FROM card_transaction AS t LEFT JOIN customer AS c ON c.id = t.customer_id
 WHERE t.authorization_id IS NOT NULL AND NOT t.unmatched GROUP BY 1
"""
"""A refund that came unmatched is nobody's first; what is the customer's then, 2100 tells."""
STUCK = """
SELECT stripe_event_id || ' (' || type || '): ' || coalesce(failure, '') AS name
  FROM inbound_event WHERE failure IS NOT NULL
"""
UNKNOWN = """
SELECT 'charge ' || idempotency_key AS name FROM charge WHERE state = 'unknown'
UNION ALL SELECT 'refund ' || id FROM refund WHERE state = 'sending'
UNION ALL
SELECT stripe_authorization_id || ' is looked at again at ' || settle_after
  FROM card_authorization WHERE settle_after IS NOT NULL
"""
"""What Stripe has to be asked about or for once more: it was silent, or had too many calls."""
DUE = """
SELECT 'debt ' || debt.id || ' is due' AS name
  FROM receivable AS debt JOIN card_authorization AS owing ON owing.id = debt.purchase_id
 WHERE debt.state = 'open' AND debt.next_attempt_at <= :now AND owing.state <> 'pending'
"""
"""What is tried within a second, as after another card was linked."""
UNDER_WAY = """
SELECT 'event ' || stripe_event_id || ' (' || type || ') is ' || state || ': '
       || coalesce(failure, '') AS name FROM inbound_event WHERE state IN ('received', 'failed')
UNION ALL
SELECT 'request ' || r.ordinal || ' of ' || a.stripe_authorization_id || ' is not verified'
  FROM authorization_request AS r JOIN card_authorization AS a ON a.id = r.authorization_id
 WHERE r.verified_at IS NULL
UNION ALL
SELECT stripe_authorization_id || ' is being settled until ' || leased_until
  FROM card_authorization WHERE leased_until IS NOT NULL
UNION ALL
SELECT stripe_balance_transaction_id || ' (' || type || ' of ' || coalesce(source, '')
       || ', ' || amount_minor || ') is in no journal'
  FROM balance_transaction WHERE journal_reference IS NULL
UNION ALL
SELECT 'job ' || name || ' failed: ' || outcome FROM regular_job WHERE failed
"""
IN_BOOKS = "SELECT count(*) AS journals FROM journal"
AT_WORK = ("1030", "2000", "2300", "2100", "1100", "5100", "5120", "4000", "4010")
"""Where a customer's money is, that is neither the customer's nor a merchant's."""

Sums = Mapping[str, Mapping[tuple[str, str], int]]


async def look(scene: Scene) -> None:
    """Wait until nothing is under way, and fail with every sentence of what is wrong."""
    try:
        await _look(scene)
    except AssertionError as error:
        for name in dict.fromkeys(PURCHASE.findall(str(error))):
            error.add_note("\n".join([f"About {name}:", *await about(scene.product, name)]))
        raise


async def _look(scene: Scene) -> None:
    product = scene.product
    try:
        await _at_rest(scene)
        # What has become clear only now, as whose a refund is, this job finds, whenever it runs.
        jobs = regular_jobs(product.parts)
        await run_named(product.parts.sessions, jobs, "match_balance")
        await _at_rest(scene)
    except AssertionError as error:
        error.add_note("\n".join(["Not settled:", *await _under_way(product)]))
        raise
    unpaid = [row["name"] for row in await product.rows(UNPAID)]
    owed = [row["name"] for row in await product.rows(OWED)]
    sent_back = [row["name"] for row in await product.rows(SENT_BACK)]
    await oracle(product, unpaid=unpaid, owed=owed, sent_back=sent_back)
    sums = await _sums(product)
    problems = [
        *violations(scene.world),
        *_customers(sums, await _paid(product), await _by_name(product, MERCHANTS, "net")),
        *_debts(sums, await _by_name(product, DEBTS, "owed")),
        *[f"event {row['name']}" for row in await product.rows(STUCK)],
        *await _illegal_moves(product),
        *await _once_more(scene),
    ]
    assert problems == [], "\n".join(problems)


async def _at_rest(scene: Scene) -> None:
    """Wait until nothing is under way, nothing asked of Stripe that we have no answer to either."""
    product, seconds = scene.product, scene.worker.settles_within_seconds
    await product.settled(seconds)

    async def all_known() -> bool:
        due = await product.rows(DUE, now=product.parts.clock.now())
        return not due and not await product.rows(UNKNOWN)

    await until(all_known, seconds=seconds, why="nothing has to be asked of Stripe again")
    await product.settled(seconds)


def _customers(sums: Sums, paid: Mapping[str, int], moved: Mapping[str, int]) -> Iterator[str]:
    """Charged less refunded is captured less given back, with our fee, less what is owed or lost.

    What is refunded and failed is on 2100 still; a purchase that is pending may be paid ahead.
    """
    for name in paid.keys() | moved.keys() | (sums.keys() - {"nobody"}):
        accounts = sums.get(name, {})
        at_work = -sum(accounts.get((account, "posted"), 0) for account in AT_WORK)
        left, right = paid.get(name, 0), -moved.get(name, 0) + at_work
        if left != right:
            yield f"{name} has paid {left}, and the books account for {right}: {dict(accounts)}"


def _debts(sums: Sums, owed: Mapping[str, int]) -> Iterator[str]:
    for name in sums.keys() | owed.keys():
        booked = sums.get(name, {}).get(("1100", "posted"), 0)
        if booked != owed.get(name, 0):
            yield f"{name} owes {owed.get(name, 0)}, and {booked} by the books"


async def _once_more(scene: Scene) -> list[str]:
    """Settle every purchase of the example again: nothing may be left to do."""
    before = await scene.product.rows(IN_BOOKS)
    problems = []
    for name in [*scene.bought, *scene.taken_unasked]:
        try:
            await scene.product.parts.settler.settle(name)
        except Exception as error:  # noqa: BLE001  whatever it is, it is a violation
            problems.append(f"{name} cannot be settled: {type(error).__name__}: {error}")
    after = await scene.product.rows(IN_BOOKS)
    if after != before:
        problems.append(f"settling once more made journals: {before} became {after}")
    return problems


async def _under_way(product: Product) -> list[str]:
    due = await product.rows(DUE, now=product.parts.clock.now())
    found = [*due, *await product.rows(UNKNOWN), *await product.rows(UNDER_WAY)]
    return [str(row["name"]) for row in found]


async def _illegal_moves(product: Product) -> list[str]:
    seen = Coverage()
    await seen.take(product)
    return [f"no table allows it: {move}" for move in seen.illegal()]


async def _paid(product: Product) -> dict[str, int]:
    """Give what each customer's linked cards were charged and not given back, as Stripe has it."""
    paid: defaultdict[str, int] = defaultdict(int)
    query = {"expand[]": "data.latest_charge"}
    for intent in await listed(product, "/v1/payment_intents", **query):
        if intent["status"] == "succeeded":
            paid[intent["customer"]] += kept(intent)
    return dict(paid)


async def _sums(product: Product) -> Sums:
    sums: defaultdict[str, dict[tuple[str, str], int]] = defaultdict(dict)
    for row in await product.rows(BY_CUSTOMER):
        sums[row["name"]][row["account"], row["layer"]] = row["net"]
    return dict(sums)


async def _by_name(product: Product, statement: str, column: str) -> dict[str, int]:
    return {row["name"]: row[column] for row in await product.rows(statement)}
