"""The pages of the back office that are measured, with addresses that name what is stored."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

import asyncpg
import msgspec

HOMES, LISTS, SEARCH, ONE = "Homes", "Lists, the first page", "Search", "On one page"
BESIDE = "Beside them, without an aim"


class Page(msgspec.Struct, frozen=True):
    """A page, by one or some addresses that are asked for in turn."""

    group: str
    name: str
    addresses: list[str]


class Known(msgspec.Struct, frozen=True):
    """What is stored and can be asked for."""

    today: date
    customers: list[Any]
    purchases: list[Any]
    merchant: str


CUSTOMERS = """
SELECT id, email, first_name || ' ' || last_name AS name, phone FROM customer
 ORDER BY md5(email) LIMIT 20
"""
PURCHASES = """
SELECT bought.id, bought.stripe_authorization_id AS stripe_id, bought.card_id,
       charge.stripe_charge_id AS charge_id, asked.amount_minor, charge.amount_minor AS held_minor,
       card.last4, source.last4 AS source_last4, refund.amount_minor AS back_minor
  FROM refund JOIN card_authorization AS bought ON bought.id = refund.purchase_id
  JOIN authorization_request AS asked ON asked.authorization_id = bought.id
  JOIN charge ON charge.id = refund.charge_id JOIN card ON card.id = bought.card_id
  JOIN funding_source AS source ON source.id = charge.funding_source_id
 ORDER BY refund.created_at DESC LIMIT 20
"""
# Besides the first page itself: a usual filter, a range of money, days, the order turned round, and
# what is searched for. {day}, {week}, {month} are ranges of days by the list's own field.
VARIANTS: Mapping[str, Mapping[str, str]] = {
    "purchases": {
        "open": "answer=approved&state=pending",
        "declined": "answer=declined",
        "to review": "review=yes",
        "amount": "amount_from=43.20&amount_to=43.30",
        "large": "amount_from=200.00",
        "amount, month": "amount_from=43.20&amount_to=43.30&{time:month}",
        "month": "{time:month}",
        "oldest first": "sortBy=created_at&sort=asc",
        "merchant": "search=Blue+Bottle",
        "no such merchant": "search=Nowhere+Inn",
        "amount typed": "search=45.86",
        "of a customer": "customer={customer}",
        "of a card": "card={card}",
    },
    "requests": {
        "declined": "state=declined",
        "not certain": "certain=no",
        "amount": "amount_from=43.20&amount_to=43.30",
        "week": "{time:week}",
        "oldest first": "sortBy=requested_at&sort=asc",
        "merchant": "search=Harbor+Hotel",
        "Stripe's id": "search=evt_q00000007",
    },
    "declines": {
        "reason": "reason=bank_insufficient_funds",
        "ours, week": "decided_by=us&{time:week}",
        "amount": "amount_from=43.20&amount_to=43.30",
        "month": "{time:month}",
        "oldest first": "sortBy=requested_at&sort=asc",
        "merchant": "search=Harbor+Hotel",
    },
    "cards": {
        "active": "state=active",
        "frozen": "state=frozen",
        "month": "{created:month}",
        "oldest first": "sortBy=created_at&sort=asc",
        "last four": "search=1234",
    },
    "transactions": {
        "refunds": "kind=refund",
        "captures of a day": "kind=capture&{time:day}",
        "captures of a month": "kind=capture&{time:month}",
        "not matched": "kind=refund&linked=no",
        "amount": "amount_from=43.20&amount_to=43.30",
        "large": "amount_from=200.00",
        "oldest first": "sortBy=occurred_at&sort=asc",
        "merchant": "search=Metro",
        "amount typed": "search=45.86",
    },
    "customers": {
        "active": "state=active",
        "month": "{created:month}",
        "oldest first": "sortBy=created_at&sort=asc",
        "name": "search=Lindqvist",
    },
    "sources": {
        "debit": "funding=debit",
        "removed": "state=removed",
        "last four": "search=1234",
    },
    "charges": {
        "held": "state=held",
        "lapsing": "state=held&{lapses:day}",
        "declined": "state=declined",
        "amount": "amount_from=45.86&amount_to=45.96",
        "large": "amount_from=200.00",
        "month": "{time:month}",
        "oldest first": "sortBy=created_at&sort=asc",
        "customer": "search=Lindqvist77",
        "amount typed": "search=45.86",
    },
    "refunds": {
        "failed": "state=failed",
        "amount": "amount_from=43.20&amount_to=45.30",
        "month": "{time:month}",
        "oldest first": "sortBy=created_at&sort=asc",
        "merchant": "search=Blue+Bottle",
    },
    "receivables": {
        "open": "state=open",
        "amount": "amount_from=10.00",
        "month": "{opened:month}",
        "oldest first": "sortBy=opened_at&sort=asc",
    },
    "journals": {
        "fees earned": "rule=fee_earned",
        "of a purchase": "purchase={purchase}",
        "of a customer": "customer={customer}",
        "debts": "rule=receivable_opened",
        "month": "{time:month}",
        "oldest first": "sortBy=occurred_at&sort=asc",
        "Stripe's id": "search=pi_h00000123",
    },
    "entries": {
        "fee revenue": "account=4000",
        "the float": "account=1020",
        "receivables": "account=1100",
        "capital": "account=3000",
        "still expected": "account=2300",
        "fees of a month": "account=5000&layer=posted&{time:month}",
        "refunded fees of a week": "account=4010&layer=posted&{time:week}",
        "debit cards, a day": "account=4000&layer=posted&funding=debit&{time:day}",
        "a category, a week": "account=4000&layer=posted&category=hotels_motels_and_resorts"
        "&{time:week}",
        "a size, a week": "account=4000&layer=posted&size=20000&{time:week}",
        "a customer, a month": "account=4000&layer=posted&customer={customer}&{time:month}",
        "oldest first": "sortBy=occurred_at&sort=asc",
    },
    "balance-transactions": {
        "unmatched": "matched=no",
        "payments": "balance=payments",
        "amount": "amount_from=43.20&amount_to=43.30",
        "month": "{time:month}",
        "oldest first": "sortBy=occurred_at&sort=asc",
        "Stripe's id": "search=ch_h00000123",
        "kind": "search=adjustment",
    },
    "events": {
        "failed": "state=failed",
        "done": "state=done",
        "month": "{created:month}",
        "oldest first": "sortBy=created_at&sort=asc",
        "about": "search=iauth_h00000123",
        "kind": "search=charge.captured",
        "no such kind": "search=dispute",
    },
    "mails": {
        "failed": "state=failed",
        "month": "{created:month}",
        "recipient": "search=bench77%40example.com",
    },
    "orders": {"not sent": "sent=no", "month": "{created:month}"},
    "jobs": {"failed": "status=failed"},
    "job-log": {"failed": "status=failed", "month": "{time:month}"},
    "audit": {
        "action": "search=card.freeze",
        "week": "{time:week}",
        "of a customer": "search={customer}",
    },
    "regular-jobs": {},
    "staff": {},
    "rules": {},
    "prices": {},
    "allowances": {},
    "approvals": {"waiting": "state=waiting"},
    "differences": {"open": "state=open"},
}


async def look_up(owner_url: str, today: date) -> Known:
    """Choose what is asked for from what is stored."""
    connection = await asyncpg.connect(owner_url)
    try:
        customers = await connection.fetch(CUSTOMERS)
        purchases = await connection.fetch(PURCHASES)
    finally:
        await connection.close()
    return Known(today, customers, purchases, "Harbor Hotel")


def pages(known: Known) -> list[Page]:
    """Give every page that is measured."""
    return [*_homes(known), *_lists(known), *_searches(known), *_one(known), *_beside(known)]


def _homes(known: Known) -> Iterator[Page]:
    periods = {"today": 0, "7 days": 6, "30 days": 29, "90 days": 89}
    spans = {name: (known.today - timedelta(days=n), known.today) for name, n in periods.items()}
    spans["17 days, long ago"] = (
        known.today - timedelta(days=70),
        known.today - timedelta(days=54),
    )
    for home in ("profit", "declines"):
        for name, (first, last) in spans.items():
            query = urlencode({"from": first, "to": last})
            yield Page(HOMES, f"{home}: {name}", [f"/admin/{home}?{query}"])
    yield Page(HOMES, "to do", ["/admin/queues"])


def _lists(known: Known) -> Iterator[Page]:
    words = {
        "customer": known.customers[0]["id"],
        "card": known.purchases[0]["card_id"],
        "purchase": known.purchases[0]["id"],
    }
    for view, variants in VARIANTS.items():
        yield Page(LISTS, view, [f"/admin/{view}/list"])
        for name, query in variants.items():
            address = f"/admin/{view}/list?{_dated(query, known.today).format_map(words)}"
            yield Page(LISTS, f"{view}: {name}", [address])


def _dated(query: str, today: date) -> str:
    for word, days in (("day", 0), ("week", 6), ("month", 29)):
        last = today - timedelta(days=1)
        for field in ("time", "created", "opened", "lapses"):
            first = last - timedelta(days=days)
            span = f"{field}_from={first}&{field}_to={last}"
            query = query.replace(f"{{{field}:{word}}}", span)
    return query


def _searches(known: Known) -> Iterator[Page]:
    terms = {
        "e-mail": [one["email"] for one in known.customers],
        "name": [one["name"] for one in known.customers],
        "part of a name": ["Lindqvist"],
        "phone": [one["phone"] for one in known.customers],
        "last four": [one["last4"] for one in known.purchases],
        "last four of a linked card": [one["source_last4"] for one in known.purchases],
        "merchant": [known.merchant],
        "part of a merchant": ["otel 13"],
        "what nobody is called": ["Zzyzx"],
        "amount of a purchase": [_typed(one["amount_minor"]) for one in known.purchases],
        "amount charged": [_typed(one["held_minor"]) for one in known.purchases],
        "amount of a refund": [_typed(one["back_minor"]) for one in known.purchases],
        "no such amount": ["99999.99"],
        "Stripe's id of a purchase": [one["stripe_id"] for one in known.purchases],
        "our own id of a purchase": [str(one["id"]) for one in known.purchases],
        "Stripe's id of a charge": [one["charge_id"] for one in known.purchases],
    }
    for name, typed in terms.items():
        addresses = [f"/admin/search?{urlencode({'q': term})}" for term in typed]
        yield Page(SEARCH, name, addresses)


def _one(known: Known) -> Iterator[Page]:
    yield Page(ONE, "customer", [f"/admin/customer/{one['id']}" for one in known.customers])
    yield Page(ONE, "purchase", [f"/admin/purchase/{one['id']}" for one in known.purchases])


def _beside(known: Known) -> Iterator[Page]:
    week = urlencode({"from": known.today - timedelta(days=6), "to": known.today})
    month = urlencode({"from": known.today - timedelta(days=29), "to": known.today})
    for by in ("day", "funding", "category", "country", "size", "customer"):
        yield Page(
            BESIDE, f"accounts by {by}: 30 days", [f"/admin/profit/accounts?{month}&by={by}"]
        )
    yield Page(BESIDE, "purchases that lost money: 7 days", [f"/admin/profit/losses?{week}"])
    for name in ("trial-balance", "receivables-by-age", "reconciliation"):
        yield Page(BESIDE, name.replace("-", " "), [f"/admin/{name}"])


def _typed(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02}"
