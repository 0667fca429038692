"""What must be true after every fault, once nothing is under way any more.

Stripe is asked, not our tables: each request it approved is paid by exactly one live charge, and
nothing else is on anybody's linked card. Then our tables are held against what Stripe says.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from app.webhooks.reading import REQUEST_TYPE
from tests.books import book_problems
from tests.product import KEPT_EVENTS, Product
from tests.waiting import until

Object = dict[str, Any]
Request = tuple[str, str]

ENDED = ("reversed", "expired", "closed")
EXTRA = "extra"
LAPSED = "automatic"
"""Why Stripe has canceled a hold that nobody took in time: nothing is on the card any more."""
SMALLEST_CHARGE = 50
OUR_WORD = {
    "requires_capture": {"held"},
    "canceled": {"canceled"},
    "succeeded": {"captured", "refunded"},
    "requires_payment_method": {"declined"},
    "requires_action": {"declined"},
}


async def oracle(
    product: Product,
    *,
    unpaid: Collection[str] = (),
    owed: Collection[str] = (),
    sent_back: Collection[str] = (),
) -> None:
    """Wait until all is settled, then fail with every sentence of what is not as it must be.

    `unpaid` names the authorizations that no linked card would pay for: they must be frozen, and
    shown to staff as not handled. `owed` names purchases whose customer owes a part, `sent_back`
    those with a refund that the customer's bank did not take: a person pays it another way.
    """
    await product.settled()
    authorizations = await listed(product, "/v1/issuing/authorizations")
    transactions = await listed(product, "/v1/issuing/transactions")
    intents = await listed(product, "/v1/payment_intents", **{"expand[]": "data.latest_charge"})
    problems = [
        *charges_and_purchases(authorizations, intents, unpaid, owed, sent_back),
        *forced_captures(transactions, intents, owed),
        *await _our_charges(product, intents),
        *await _our_purchases(product, authorizations),
        *await _nothing_lost(product),
        *await _shown_as_unpaid(product, unpaid),
        *await book_problems(product),
    ]
    assert problems == [], "\n".join(problems)


async def listed(product: Product, path: str, **query: str) -> list[Object]:
    """Give all pages of one of Stripe's lists."""
    found: list[Object] = []
    after: dict[str, str] = {}
    while True:
        page = await product.call("GET", path, limit=100, **query, **after)
        found += page["data"]
        if not page["has_more"]:
            return found
        after = {"starting_after": page["data"][-1]["id"]}


async def kept_by_purchase(product: Product) -> dict[str, int]:
    """Give what is held or taken for each purchase on all its charges, in minor units."""
    paid: defaultdict[str, int] = defaultdict(int)
    query = {"expand[]": "data.latest_charge"}
    for intent in await listed(product, "/v1/payment_intents", **query):
        paid[intent["metadata"]["authorization"]] += kept(intent)
    return dict(paid)


def charges_and_purchases(
    authorizations: Sequence[Object],
    intents: Sequence[Object],
    unpaid: Collection[str] = (),
    in_debt: Collection[str] = (),
    sent_back: Collection[str] = (),
) -> Iterator[str]:
    """Say what is wrong between the purchases and the charges that Stripe has. Pure."""
    live: defaultdict[Request, list[Object]] = defaultdict(list)
    for intent in intents:
        if kept(intent) > 0:
            live[_request_of(intent)].append(intent)
    lapsed = {_request_of(i) for i in intents if i.get("cancellation_reason") == LAPSED}
    approved: set[Request] = set()
    for authorization in authorizations:
        owed = {one: much for one, much in _owed(authorization) if one not in lapsed}
        approved |= owed.keys()
        if authorization["id"] in unpaid:
            yield from _too_many(live, owed, most=0)
        elif authorization["status"] in ENDED:
            yield from _too_many(live, owed, most=1)
            if authorization["id"] not in in_debt:
                yield from _ended(authorization, live)
        else:
            # What was let go of or made final in between, the fee of the next request was on top of
            # less or of more: that can round the other way.
            asked = sum(e["amount"] for e in authorization["request_history"] if e["approved"])
            yield from _pending(live, owed, cents=int(asked != authorization.get("amount", asked)))
    known = {authorization["id"] for authorization in authorizations}
    for request in live.keys() - approved - lapsed:
        if request[0] in sent_back:
            continue
        if request[1] == EXTRA and (request[0] in known or request[0].startswith("ipi_")):
            continue  # made for what merchants took: the sum is what counts
        yield f"{request} was not approved, and {len(live[request])} charges on it are live"


def kept(intent: Object) -> int:
    """Give what a PaymentIntent holds or has taken, less what went back, in minor units."""
    if intent["status"] == "requires_capture":
        held: int = intent["amount_capturable"]
        return held
    if intent["status"] != "succeeded":
        return 0
    charge = intent["latest_charge"]
    released: int = charge["amount"] - charge["amount_captured"]
    taken: int = intent["amount_received"]
    returned: int = charge["amount_refunded"]
    return taken - max(returned - released, 0)


def with_fee(amount: int) -> int:
    """Give what a purchase costs: five per cent and fifty cents on it, halves up; nothing on 0."""
    return amount + (amount * 5 + 50) // 100 + 50 if amount else 0


def _request_of(intent: Object) -> Request:
    named = intent["metadata"]
    return named.get("authorization", ""), named.get("request", "")


def _owed(authorization: Object) -> Iterator[tuple[Request, int]]:
    """Give what each approved request of more than nothing must hold."""
    before = 0
    for ordinal, entry in enumerate(authorization["request_history"]):
        if entry["approved"] and entry["amount"] > 0:
            more = with_fee(before + entry["amount"]) - with_fee(before)
            yield (authorization["id"], str(ordinal)), max(more, SMALLEST_CHARGE)
            before += entry["amount"]


def _pending(
    live: Mapping[Request, Sequence[Object]], owed: Mapping[Request, int], *, cents: int = 0
) -> Iterator[str]:
    for request, amount in owed.items():
        amounts = [kept(intent) for intent in live.get(request, ())]
        if len(amounts) != 1 or abs(amounts[0] - amount) > cents:
            yield f"{request} is approved: {amounts} is live where {amount} must be"


def _too_many(
    live: Mapping[Request, Sequence[Object]], owed: Mapping[Request, int], *, most: int
) -> Iterator[str]:
    for request in owed:
        count = len(live.get(request, ()))
        if count > most:
            yield f"{request} has {count} live charges"


def _ended(authorization: Object, live: Mapping[Request, Sequence[Object]]) -> Iterator[str]:
    name = authorization["id"]
    due = due_for(authorization["transactions"])
    paid = sum(kept(i) for (whose, _), ones in live.items() if whose == name for i in ones)
    if paid != due:
        yield f"{name} is {authorization['status']}: {paid} paid, {due} due"


def due_for(transactions: Sequence[Object]) -> int:
    """Give what captures cost with our fee, less refunds with their share of it, halves up."""
    captured: int = -sum(t["amount"] for t in transactions if t["type"] == "capture")
    refunded: int = sum(t["amount"] for t in transactions if t["type"] == "refund")
    back = min(max(refunded, 0), captured)
    fee = with_fee(captured) - captured
    share = (fee * back * 2 + captured) // (captured * 2) if captured else 0
    return captured + fee - back - share


def forced_captures(
    transactions: Sequence[Object], intents: Sequence[Object], in_debt: Collection[str]
) -> Iterator[str]:
    """Say which captures without an authorization are not paid. Their refunds name none either."""
    refunded = any(t["type"] == "refund" and t["authorization"] is None for t in transactions)
    for taken in transactions:
        if taken["type"] != "capture" or taken["authorization"] is not None or refunded:
            continue
        mine = [i for i in intents if i["metadata"].get("authorization") == taken["id"]]
        paid = sum(kept(intent) for intent in mine)
        if paid != due_for([taken]) and taken["id"] not in in_debt:
            yield f"{taken['id']} was forced: {paid} paid, {due_for([taken])} due"


async def _our_charges(product: Product, intents: Sequence[Object]) -> list[str]:
    ours = await product.rows("SELECT * FROM charge")
    by_intent = {row["stripe_payment_intent_id"]: row for row in ours}
    problems = [
        f"our charge {row['idempotency_key']} is {row['state']} and Stripe has none"
        for row in ours
        if row["stripe_payment_intent_id"] is None and row["state"] not in ("declined", "canceled")
    ]
    for intent in intents:
        row = by_intent.get(intent["id"])
        if row is None:
            problems.append(f"{intent['id']} ({intent['status']}) is not in our table")
            continue
        if row["state"] not in OUR_WORD[intent["status"]]:
            problems.append(f"{intent['id']} is {intent['status']}, and {row['state']} with us")
        paid = row["captured_minor"] - row["refunded_minor"]
        if intent["status"] == "succeeded" and paid != kept(intent):
            problems.append(f"{intent['id']} keeps {kept(intent)}, and {paid} with us")
    return problems


async def _our_purchases(product: Product, authorizations: Sequence[Object]) -> list[str]:
    rows = await product.rows(
        "SELECT a.stripe_authorization_id AS authorization, a.state, a.approved, r.ordinal,"
        " r.amount_minor, r.stripe_approved, r.stripe_reason, r.state AS answer, r.reserved_minor,"
        " r.approved_minor, f.facts->'purchase'->>'controllable' = 'true' AS controllable"
        " FROM card_authorization AS a LEFT JOIN authorization_request AS r"
        " ON r.authorization_id = a.id LEFT JOIN flight_record AS f ON f.request_id = r.id"
    )
    ours = {(row["authorization"], row["ordinal"]): row for row in rows}
    problems = []
    for told in authorizations:
        for ordinal, entry in enumerate(told["request_history"]):
            row = ours.get((told["id"], ordinal))
            if row is None:
                problems.append(f"{told['id']} request {ordinal} is not in our table")
                continue
            theirs = (told["status"], told["approved"], entry["approved"], entry["reason"])
            mine = (row["state"], row["approved"], row["stripe_approved"], row["stripe_reason"])
            # Where the merchant takes less, Stripe's history tells what was approved of it.
            lessened = entry["approved"] and row["controllable"]
            minor = row["approved_minor"] if lessened else row["amount_minor"]
            if theirs != mine or minor != entry["amount"]:
                problems.append(f"{told['id']} request {ordinal}: {theirs}, and {mine} with us")
            if not entry["approved"] and row["reserved_minor"]:
                problems.append(f"{told['id']} request {ordinal} is declined and uses up limits")
    undecided = [row for row in rows if row["answer"] == "deciding"]
    return problems + [f"{row['authorization']} is still being decided" for row in undecided]


async def _nothing_lost(product: Product) -> list[str]:
    """Say which events failed; wait for those that Stripe tells a moment after the fact."""
    missing: list[str] = []

    async def all_stored() -> bool:
        stored = {row["stripe_event_id"] for row in await product.rows(KEPT_EVENTS)}
        missing[:] = [
            f"event {event['id']} ({event['type']}) is not stored"
            for event in await listed(product, "/v1/events")
            if event["id"] not in stored and event["type"] != REQUEST_TYPE
        ]
        return not missing

    with suppress(AssertionError):
        await until(all_stored, seconds=10)
    failed = await product.rows("SELECT * FROM inbound_event WHERE state = 'failed'")
    return missing + [f"event {row['stripe_event_id']} failed: {row['failure']}" for row in failed]


async def _shown_as_unpaid(product: Product, unpaid: Collection[str]) -> list[str]:
    rows = await product.rows(
        "SELECT a.stripe_authorization_id AS authorization, c.state FROM card_authorization AS a"
        " JOIN card AS c ON c.id = a.card_id WHERE a.not_handled LIKE '%nobody has paid%'"
    )
    shown = {row["authorization"]: row["state"] for row in rows}
    return [
        *(f"{name} is not shown as unpaid" for name in unpaid if name not in shown),
        *(f"{name} is shown as unpaid" for name in shown if name not in unpaid),
        *(
            f"{name} is unpaid and its card {state}"
            for name, state in shown.items()
            if state not in ("frozen", "closed")
        ),
    ]
