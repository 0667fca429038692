"""The demo: what it tells, the verdict at its end, and a planted mistake that it finds."""

from typing import Any

import pytest

from local_stack.demo import ask_stripe, make_scene, print_verdict, tell
from local_stack.demo_data import fill
from local_stack.demo_people import CUSTOMERS
from local_stack.demo_verdict import judge
from tests.product import Product

COUNTS = """
SELECT (SELECT count(*) FROM customer) AS customers, (SELECT count(*) FROM card) AS cards,
       (SELECT count(*) FROM funding_source) AS sources, (SELECT count(*) FROM charge) AS charges,
       (SELECT count(*) FROM authorization_request) AS requests,
       (SELECT count(*) FROM staff) AS staff,
       (SELECT sum(fee_minor) FROM card_transaction) AS profit
"""


def authorization(name: str, answers: str, status: str = "pending") -> dict[str, Any]:
    """Give an authorization with a request for each letter: y was approved, n was not."""
    return {
        "id": name,
        "status": status,
        "approved": "y" in answers,
        "merchant_data": {"name": "Blue Bottle"},
        "request_history": [{"approved": a == "y", "amount": 1999} for a in answers],
    }


def intent(authorization_id: str, status: str, received: int = 0, back: int = 0) -> dict[str, Any]:
    return {
        "id": f"pi_{authorization_id}",
        "status": status,
        "amount_received": received,
        "metadata": {"authorization": authorization_id},
        "latest_charge": {
            "amount": 2149,
            "amount_captured": received,
            "amount_refunded": 2149 - received + back,
        },
    }


class TestVerdict:
    @pytest.mark.parametrize(
        ("authorizations", "intents"),
        [
            ([authorization("a", "y")], [intent("a", "requires_capture")]),
            ([authorization("a", "y")], [intent("a", "succeeded", 1100)]),
            ([authorization("a", "yy")], [intent("a", "requires_capture")] * 2),
            ([authorization("a", "n")], [intent("a", "canceled")]),
            ([authorization("a", "y", status="reversed")], [intent("a", "canceled")]),
            ([authorization("a", "y", status="reversed")], [intent("a", "succeeded", 2149, 2149)]),
        ],
    )
    def test_is_true_of_what_should_be(
        self, authorizations: list[dict[str, Any]], intents: list[dict[str, Any]]
    ) -> None:
        assert judge(authorizations, intents).true

    @pytest.mark.parametrize(
        ("authorizations", "intents"),
        [
            ([authorization("a", "y")], []),
            ([authorization("a", "y")], [intent("a", "requires_capture")] * 2),
            ([authorization("a", "n")], [intent("a", "requires_capture")]),
            ([authorization("a", "y", status="expired")], [intent("a", "requires_capture")]),
            ([authorization("a", "y")], [intent("a", "succeeded", 2149, 2149)]),
            ([], [intent("b", "requires_capture")]),
        ],
    )
    def test_is_not_true_of_anything_else(
        self, authorizations: list[dict[str, Any]], intents: list[dict[str, Any]]
    ) -> None:
        assert not judge(authorizations, intents).true


class TestDemo:
    @pytest.mark.parametrize("product_settings", [{"REPAIR_WAIT_SECONDS": "3"}])
    async def test_tells_eight_purchases_and_is_true(
        self, product: Product, capsys: pytest.CaptureFixture[str]
    ) -> None:
        verdict = await tell(product.parts)
        print_verdict(verdict)

        told = capsys.readouterr().out
        assert verdict.true
        assert [line.expected for line in verdict.lines].count(1) == 1
        for said in ("held 21.49 on visa 4242", "insufficient funds", "1 before, 1 after"):
            assert said in told
        assert "the repair has found it" in told

    async def test_finds_a_charge_that_belongs_to_no_purchase(self, product: Product) -> None:
        scene = await make_scene(product.parts)
        stray = await product.call(
            "POST",
            "/v1/payment_intents",
            amount=2149,
            currency="usd",
            customer=scene.stripe_customer_id,
            payment_method=scene.payment_method,
            confirm="true",
            off_session="true",
            capture_method="manual",
        )

        verdict = await ask_stripe(scene)

        assert not verdict.true
        assert verdict.strays == [stray["id"]]


async def test_demo_data_fills_every_table_once(product: Product) -> None:
    assert await fill(product.parts)
    assert not await fill(product.parts)
    await product.settled()

    [counts] = await product.rows(COUNTS)
    assert counts["customers"] == len(CUSTOMERS)
    assert all(counts.values()), counts
    reasons = await product.rows("SELECT DISTINCT reason FROM authorization_request")
    assert len(reasons) > 4
