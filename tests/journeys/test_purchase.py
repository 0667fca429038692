"""A purchase from the till to the linked card, and back."""

from tests.product import Product
from tests.situations import helper, holder, intents, pay


class TestPurchase:
    async def test_of_19_99_holds_21_49_on_the_linked_card(self, product: Product) -> None:
        ada = await holder(product)

        bought = await pay(product, ada.card, 1999)

        assert bought["approved"] is True, bought
        assert bought["request_history"][-1]["reason"] == "webhook_approved"
        [intent] = await intents(product, ada.customer.stripe_customer_id)
        assert (intent["amount"], intent["status"]) == (2149, "requires_capture")
        await product.settled()
        [request] = await product.rows("SELECT * FROM authorization_request")
        assert (request["state"], request["fee_minor"]) == ("approved", 150)

    async def test_captured_takes_what_the_merchant_took_and_our_fee(
        self, product: Product
    ) -> None:
        ada = await holder(product)
        bought = await pay(product, ada.card, 1999)

        await helper(product, bought["id"], "capture")
        await product.settled()

        [intent] = await intents(product, ada.customer.stripe_customer_id)
        assert (intent["amount_received"], intent["status"]) == (2149, "succeeded")
