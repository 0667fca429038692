"""Stripe fails while a purchase is settled: taking, releasing and giving back still happen once."""

from typing import Any

import pytest

from tests.faults.arming import arm, fired
from tests.oracle import kept_by_purchase, oracle
from tests.product import Product
from tests.situations import helper, holder, pay

FAILURES: list[dict[str, Any]] = [
    {"action": "status", "status": 500},
    {"action": "status", "status": 500, "after_effect": True},
    {"action": "status", "status": 503},
    {"action": "drop_after"},
    {"action": "status", "status": 429},
    {"action": "status", "status": 200, "after_effect": True, "body": '{"id": "p'},
]
STEPS = [
    ("hold", "capture", "/v1/payment_intents/{intent}/capture", 2149),
    ("hold", "reverse", "/v1/payment_intents/{intent}/cancel", 0),
    ("charge", "reverse", "/v1/refunds", 0),
]


@pytest.fixture
def product_settings(request: pytest.FixtureRequest) -> dict[str, str]:
    return {"REPAIR_WAIT_SECONDS": "0.4", "FUNDING_MODE": request.param}


@pytest.mark.parametrize(
    ("product_settings", "action", "path", "paid"),
    STEPS,
    indirect=["product_settings"],
    ids=["taking what was held", "releasing a hold", "giving back a charge"],
)
async def test_each_purchase_is_settled_though_stripe_fails_once(
    product: Product, action: str, path: str, paid: int
) -> None:
    ada = await holder(product)
    bought = [(await pay(product, ada.card, 1999))["id"] for _ in FAILURES]
    await product.settled()

    for one, failure in zip(bought, FAILURES, strict=True):
        await arm(product, path=path, **failure)
        await helper(product, one, action)

    await oracle(product)
    assert await fired(product) == [1] * len(FAILURES)
    amounts = await kept_by_purchase(product)
    assert amounts == dict.fromkeys(bought, paid)
