"""What is put on the linked card, and what stays there, in both ways of funding."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.oracle import kept_by_purchase, oracle
from tests.product import Product
from tests.situations import LATER_DECLINES, VISA, helper, holder, intents, pay

Step = tuple[str, Mapping[str, Any]]

CAPTURE: Step = ("capture", {})
REVERSE: Step = ("reverse", {})
# After 19.99 was approved: what merchants do, and what the customer has paid in the end, in cents.
ENDS: list[tuple[str, Sequence[Step], int]] = [
    ("captured", [CAPTURE], 2149),
    ("captured for less", [("capture", {"capture_amount": 1000})], 1100),
    ("captured for almost nothing", [("capture", {"capture_amount": 1})], 51),
    ("reversed", [REVERSE], 0),
    ("expired", [("expire", {})], 0),
    ("reversed in part, then captured", [("reverse", {"reverse_amount": 999}), CAPTURE], 1100),
    ("reversed in two parts", [("reverse", {"reverse_amount": 999}), REVERSE], 0),
    ("raised, then captured", [("increment", {"increment_amount": 500}), CAPTURE], 2674),
    (
        "raised, then captured for less than before",
        [("increment", {"increment_amount": 500}), ("capture", {"capture_amount": 1000})],
        1100,
    ),
    ("raised, then reversed", [("increment", {"increment_amount": 500}), REVERSE], 0),
    (
        "captured in two parts",
        [
            ("capture", {"capture_amount": 500, "close_authorization": "false"}),
            ("capture", {"capture_amount": 1499}),
        ],
        2149,
    ),
    (
        "captured in part, then expired",
        [
            ("capture", {"capture_amount": 500, "close_authorization": "false"}),
            ("expire", {}),
        ],
        575,
    ),
]
BOTH_WAYS = pytest.mark.parametrize(
    ("product_settings", "status"),
    [({"FUNDING_MODE": "hold"}, "requires_capture"), ({"FUNDING_MODE": "charge"}, "succeeded")],
    ids=["hold", "charge"],
)


@BOTH_WAYS
class TestAPurchase:
    async def test_puts_itself_and_our_fee_on_the_linked_card(
        self, product: Product, status: str
    ) -> None:
        ada = await holder(product)
        amounts = {1999: 2149, 10: 61, 1000: 1100, 0: None}

        bought = {(await pay(product, ada.card, amount))["id"]: amount for amount in amounts}

        made = await intents(product, ada.customer.stripe_customer_id)
        assert {intent["status"] for intent in made} == {status}
        found = {bought[intent["metadata"]["authorization"]]: intent["amount"] for intent in made}
        assert found == {amount: held for amount, held in amounts.items() if held}
        await oracle(product)
        rows = await product.rows("SELECT amount_minor, fee_minor FROM authorization_request")
        assert {row["amount_minor"]: row["fee_minor"] for row in rows} == {
            1999: 150,
            10: 51,
            1000: 100,
            0: 0,
        }

    async def test_that_grows_puts_only_what_is_more_on_it(
        self, product: Product, status: str
    ) -> None:
        ada = await holder(product)
        bought = await pay(product, ada.card, 1999)

        await helper(product, bought["id"], "increment", increment_amount=501)
        more = await helper(product, bought["id"], "increment", increment_amount=1)

        assert [entry["approved"] for entry in more["request_history"]] == [True, True, True]
        made = await intents(product, ada.customer.stripe_customer_id)
        # 25.00 costs 26.75, and 21.49 are held. A cent more costs 0.01; Stripe takes 0.50 or more.
        assert [intent["amount"] for intent in reversed(made)] == [2149, 526, 50]
        await oracle(product)

    async def test_that_may_not_grow_stays_as_it_was(self, product: Product, status: str) -> None:
        ada = await holder(product)
        bought = await pay(product, ada.card, 1999)
        saved = ada.sources[0].stripe_payment_method_id
        refusing = {"token": LATER_DECLINES}
        await product.control(f"payment_methods/{saved}/behaves_like", refusing)

        more = await helper(product, bought["id"], "increment", increment_amount=500)

        assert (more["approved"], more["status"], more["amount"]) == (True, "pending", 1999)
        await oracle(product)
        assert await kept_by_purchase(product) == {bought["id"]: 2149}
        await product.control(f"payment_methods/{saved}/behaves_like", {"token": VISA})
        again = await helper(product, bought["id"], "increment", increment_amount=500)
        assert again["amount"] == 2499
        await oracle(product)

    async def test_costs_in_the_end_what_merchants_took_and_our_fee_on_that(
        self, product: Product, status: str
    ) -> None:
        ada = await holder(product)
        bought = {}
        for end, steps, _ in ENDS:
            bought[end] = (await pay(product, ada.card, 1999))["id"]
            for action, form in steps:
                told = await helper(product, bought[end], action, **form)
                assert "error" not in told, (end, told)

        await oracle(product)
        found = await kept_by_purchase(product)
        assert {end: found[one] for end, one in bought.items()} == {
            end: paid for end, _, paid in ENDS
        }
        wider = await product.rows("SELECT 1 FROM card_authorization WHERE not_handled IS NOT NULL")
        assert wider == []
        [usage] = await product.rows(
            "SELECT sum(reserved_minor) AS used, bool_or(open) AS open FROM authorization_request"
        )
        taken = 1999 + 1000 + 1 + 1000 + 2499 + 1000 + 1999 + 500
        assert usage == {"used": taken, "open": False}

    async def test_costs_no_less_where_merchants_took_more_later_or_gave_some_back(
        self, product: Product, status: str
    ) -> None:
        ada = await holder(product)
        over, late, returned = [(await pay(product, ada.card, 1999))["id"] for _ in range(3)]

        await helper(product, over, "capture", capture_amount=2500)
        await helper(product, late, "expire")
        await product.settled()
        await helper(product, late, "capture")
        captured = await helper(product, returned, "capture")
        path = f"/v1/test_helpers/issuing/transactions/{captured['transactions'][0]['id']}/refund"
        await product.call("POST", path, refund_amount=500)

        await oracle(product)
        # 25.00 + 1.75; 19.99 + 1.50 anew; 14.99 + 1.50 less the share of 5.00 in it, 0.38.
        paid = {over: 2675, late: 2149, returned: 1499 + 150 - 38}
        assert await kept_by_purchase(product) == paid
