"""Differences between us and Stripe, planted: behind our back there, as the owner in our tables."""

from collections.abc import Sequence
from typing import Any

import msgspec

from app.domain.issuing.reconciliation_facts import Kind
from app.domain.ledger.rollups import rebuild
from app.jobs.bookkeeping import zone_of
from tests.product import Product
from tests.situations import Holder, force_capture

ITS = """
SELECT t.stripe_transaction_id AS moved, c.stripe_payment_intent_id AS intent,
       c.stripe_balance_transaction_id AS booked, r.stripe_refund_id AS refund,
       c.processing_fee_minor AS fee
  FROM card_authorization p
  JOIN card_transaction t ON t.authorization_id = p.id AND t.kind = 'capture'
  JOIN charge c ON c.purchase_id = p.id
  LEFT JOIN refund r ON r.purchase_id = p.id
 WHERE p.stripe_authorization_id = :name
"""
HELD = """
SELECT stripe_payment_intent_id AS name
  FROM charge c JOIN card_authorization p ON p.id = c.purchase_id
 WHERE p.stripe_authorization_id = :name
"""
CHANGED = "UPDATE {table} SET {change} WHERE {column} = '{name}'"
LOST = "DELETE FROM card_transaction WHERE stripe_transaction_id = '{name}'"
CHARGE = """
INSERT INTO charge (id, customer_id, purchase_id, attempt, idempotency_key, amount_minor,
                    captured_minor, refunded_minor, currency, state, stripe_payment_intent_id)
SELECT gen_random_uuid(), customer_id, id, 8, 'planted', 15_00, 0, 0, 'usd', 'canceled',
       'pi_planted'
  FROM card_authorization WHERE stripe_authorization_id = '{name}'
"""
PURCHASE = """
INSERT INTO card_authorization (id, stripe_authorization_id, occurred_at, state, amount_minor,
                                currency, merchant_name, merchant_category, fence)
VALUES (gen_random_uuid(), 'iauth_planted', now(), 'closed', 12_34, 'usd', 'x', 'x', 0)
"""
MOVEMENT = """
INSERT INTO balance_transaction (id, stripe_balance_transaction_id, balance_type, type,
    amount_minor, fee_minor, net_minor, currency, occurred_at, available_at, journal_reference)
VALUES (gen_random_uuid(), 'txn_planted', 'payments', 'charge', 40, 0, 40, 'usd', now(), now(),
        '{name}:linked_card_captured')
"""
JOURNAL = """
INSERT INTO journal (reference, rule, occurred_at, purchase_id, currency, debits, credits, amounts,
                     layers)
VALUES ('{name}:{rule}', '{rule}', now(),
        (SELECT id FROM card_authorization WHERE stripe_authorization_id = '{purchase}'),
        'usd', '{{2000}}', '{{{credit}}}', '{{{minor}}}', '{{posted}}')
"""
OFF = "ALTER TABLE journal DISABLE TRIGGER append_only"
ON = "ALTER TABLE journal ENABLE TRIGGER append_only"
COLUMNS = {
    "card_authorization": "stripe_authorization_id",
    "card_transaction": "stripe_transaction_id",
    "charge": "stripe_payment_intent_id",
    "refund": "stripe_refund_id",
    "journal": "reference",
}


class Found(msgspec.Struct, frozen=True, order=True):
    """A difference as it is printed."""

    kind: str
    name: str
    ours: str
    theirs: str


class Planting:
    """Plants differences in a product, and remembers what must be found of them."""

    def __init__(self, product: Product, ada: Holder) -> None:
        self.product = product
        self.ada = ada
        self.planted: list[Found] = []
        self.changes: list[str] = []

    def expect(self, kind: Kind, name: str, ours: str, theirs: str) -> None:
        self.planted.append(Found(kind.value, name, ours, theirs))

    async def its(self, purchase: str) -> dict[str, Any]:
        """Give Stripe's ids of what belongs to a captured purchase, and its fee."""
        [row] = await self.product.rows(ITS, name=purchase)
        return row

    async def stop_events(self) -> None:
        """Have Stripe tell us nothing from now on."""
        listed = await self.product.call("GET", "/v1/webhook_endpoints")
        for endpoint in listed["data"]:
            path = f"/v1/webhook_endpoints/{endpoint['id']}"
            await self.product.call("POST", path, disabled="true")

    async def hold(self, amount_minor: int, authorization: str, request: str) -> str:
        """Put a hold on the linked card that names a purchase of ours; give its id."""
        made = await self.product.call(
            "POST",
            "/v1/payment_intents",
            **{
                "amount": amount_minor,
                "currency": "usd",
                "customer": self.ada.customer.stripe_customer_id,
                "payment_method": self.ada.sources[0].stripe_payment_method_id,
                "allowed_payment_method_types[]": "card",
                "confirm": "true",
                "off_session": "true",
                "capture_method": "manual",
                "metadata[authorization]": authorization,
                "metadata[request]": request,
                "metadata[attempt]": "9",
            },
        )
        assert made["status"] == "requires_capture", made
        return str(made["id"])

    async def at_stripe(self, captured: str, twice: str, refused: str, open_: str) -> None:
        """Plant six: charges, a canceled hold and a capture that nobody tells us of."""
        self.expect(Kind.MISSING_HERE, await self.hold(33_00, captured, "extra"), "none", "33.00")
        self.expect(Kind.DUPLICATE, await self.hold(63_50, twice, "0"), "0.00", "63.50")
        self.expect(Kind.DECLINED_CHARGED, await self.hold(5_00, refused, "0"), "0.00", "5.00")
        [held] = await self.product.rows(HELD, name=open_)
        await self.product.call("POST", f"/v1/payment_intents/{held['name']}/cancel")
        self.expect(Kind.APPROVED_UNCHARGED, open_, "0.00", "60.00")
        self.expect(Kind.STATE, held["name"], "63.50", "63.50")
        forced = await force_capture(self.product, self.ada.card, 8_00)
        self.expect(Kind.MISSING_HERE, forced, "none", "-8.00")
        listed = await self.product.call("GET", "/v1/balance_transactions", source=forced)
        self.expect(Kind.UNMATCHED, listed["data"][0]["id"], "none", "-8.00")

    def change(self, table: str, name: str, change: str) -> None:
        values = {"table": table, "column": COLUMNS[table], "name": name, "change": change}
        self.add(CHANGED, **values)

    def add(self, statement: str, **values: object) -> None:
        self.changes.append(statement.format(**values))

    async def in_our_tables(self) -> None:
        """Do what was planned, as only the owner can; the sums are made anew from what is left."""
        await self.product.as_owner(";".join([OFF, *self.changes, ON]))
        await rebuild(self.product.parts.sessions, zone_of(self.product.parts))


async def plan_records(plan: Planting, captured: Sequence[str]) -> None:
    """Plan differences in our records of purchases, of what moved, and of charges.

    The first is of 10.00 and each of the next 1.00 more; the fee is 5 % and 0.50.
    """
    a, b, c, d, e, f, g, h, *_ = captured
    its = {name: await plan.its(name) for name in captured}
    plan.change("card_authorization", a, "amount_minor = 77")
    plan.expect(Kind.AMOUNT, a, "0.77", "10.00")
    plan.change("card_authorization", b, "state = 'expired'")
    plan.expect(Kind.STATE, b, "11.00", "11.00")
    plan.change("card_authorization", c, "currency = 'eur'")
    plan.expect(Kind.CURRENCY, c, "12.00", "12.00")
    plan.change("card_transaction", its[a]["moved"], "currency = 'eur'")
    plan.expect(Kind.CURRENCY, its[a]["moved"], "-10.00", "-10.00")
    plan.change("card_transaction", its[b]["moved"], "amount_minor = -12_00")
    plan.expect(Kind.AMOUNT, its[b]["moved"], "-12.00", "-11.00")
    plan.add(LOST, name=its[c]["moved"])
    plan.expect(Kind.MISSING_HERE, its[c]["moved"], "none", "-12.00")
    plan.change("charge", its[d]["intent"], "state = 'refunded'")
    plan.expect(Kind.STATE, its[d]["intent"], "14.15", "14.15")
    plan.change("charge", its[e]["intent"], "amount_minor = 99_00")
    plan.expect(Kind.AMOUNT, its[e]["intent"], "99.00", "15.20")
    plan.change("charge", its[f]["intent"], "refunded_minor = 1_00")
    plan.expect(Kind.REFUND, its[f]["intent"], "1.00", "0.00")
    plan.change("charge", its[g]["intent"], "processing_fee_minor = 1")
    plan.expect(Kind.FEE, its[g]["intent"], "0.01", cents(its[g]["fee"]))
    plan.change("refund", its[a]["refund"], "state = 'pending'")
    plan.expect(Kind.REFUND, its[a]["refund"], "4.40", "4.40")
    plan.add(CHARGE, name=h)
    plan.expect(Kind.MISSING_AT_STRIPE, "pi_planted", "15.00", "none")
    plan.add(PURCHASE)
    plan.expect(Kind.MISSING_AT_STRIPE, "iauth_planted", "12.34", "none")


async def plan_books(plan: Planting, captured: Sequence[str]) -> dict[str, int]:
    """Plan differences in the books; give how far each balance is off then, 1020's forced apart."""
    one, two, three = captured
    its = {name: await plan.its(name) for name in captured}
    plan.add(MOVEMENT, name=its[one]["intent"])
    plan.expect(Kind.MISSING_AT_STRIPE, "txn_planted", "0.40", "none")
    wrong_fee = f"{its[one]['booked']}:processing_fee"
    plan.change("journal", wrong_fee, "amounts = '{100}'")
    plan.expect(Kind.FEE, wrong_fee, "-1.00", cents(-its[one]["fee"]))
    wrong = f"{its[two]['moved']}:merchant_captured"
    plan.change("journal", wrong, "amounts = '{100}'")
    plan.expect(Kind.AMOUNT, wrong, "-1.00", "-19.00")
    plan.expect(Kind.NOT_CLEARED, two, "-18.00", "0.00")
    invented = {"name": "ipi_planted", "rule": "merchant_captured", "purchase": "nobody"}
    plan.add(JOURNAL, **invented, credit="1020", minor=3_00)
    plan.expect(Kind.NO_MOVEMENT, "ipi_planted:merchant_captured", "-3.00", "none")
    by_hand = {"name": "by hand", "rule": "adjusted", "purchase": three}
    plan.add(JOURNAL, **by_hand, credit="2300", minor=55)
    plan.expect(Kind.NOT_CLEARED, three, "0.55", "0.00")
    plan.expect(Kind.NOT_CLEARED, three, "-0.55", "0.00")
    return {"1010": its[one]["fee"] - 1_00, "1020": 18_00 - 3_00}


def cents(amount: int) -> str:
    return f"{amount / 100:.2f}"
