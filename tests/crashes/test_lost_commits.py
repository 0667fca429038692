"""The database comes back without its last commits: what Stripe knows is found there again.

So it is after a change to a standby that was behind. Rows are deleted here to the same effect.
"""

import pytest

from tests.crashes.stopping import queue_stopped
from tests.fault_names import Count
from tests.faults.arming import arm, fired
from tests.faults.relay import lost, relaying
from tests.oracle import kept_by_purchase, oracle
from tests.product import Product
from tests.situations import holder, intents, pay

LOSE = """
ALTER TABLE journal DISABLE TRIGGER append_only;
DELETE FROM journal WHERE purchase_id IS NOT NULL;
ALTER TABLE journal ENABLE TRIGGER append_only;
UPDATE balance_transaction SET journal_reference = NULL WHERE type <> 'topup';
DELETE FROM charge;
DELETE FROM authorization_request;
DELETE FROM card_authorization
"""


@pytest.fixture
def product_settings() -> dict[str, str]:
    return {"REPAIR_WAIT_SECONDS": "1"}


class TestAPurchaseThatTheDatabaseForgot:
    async def test_keeps_its_charge_when_stripe_approved_it(
        self, product: Product, count: Count
    ) -> None:
        ada = await holder(product)
        await product.settled()
        async with queue_stopped(product):
            bought = await pay(product, ada.card, 1999)
            await product.as_owner(LOSE)
            count("last commits lost")

        assert bought["approved"] is True
        await oracle(product)
        assert await kept_by_purchase(product) == {bought["id"]: 2149}

    async def test_loses_its_charge_when_our_answer_was_lost_too(
        self, product: Product, count: Count
    ) -> None:
        ada = await holder(product)
        await product.settled()
        async with queue_stopped(product), relaying(product) as between:
            between.way = lost
            bought = await pay(product, ada.card, 1999)
            await product.as_owner(LOSE)
            count("last commits lost")

        assert bought["approved"] is False
        await oracle(product)
        assert await kept_by_purchase(product) == {bought["id"]: 0}

    async def test_loses_its_charge_when_nobody_knew_of_it(
        self, product: Product, count: Count
    ) -> None:
        ada = await holder(product)
        await product.settled()
        async with queue_stopped(product):
            await arm(product, "status", status=500, after_effect=True)
            bought = await pay(product, ada.card, 1999)
            await product.as_owner(LOSE)
            count("last commits lost")

        assert await fired(product) == [1]
        assert bought["approved"] is False
        await oracle(product)
        [intent] = await intents(product, ada.customer.stripe_customer_id)
        assert intent["status"] == "canceled"
