"""Linked cards that cannot pay any more, and cards that must not be linked."""

import pytest

from app.adapters.stripe_people import StripePeople
from app.domain.funding.sources import CardAlreadyLinked, OurOwnCard, link
from app.domain.identity.audit import SYSTEM
from app.domain.issuing.cards import IssuedCards
from tests.faults.arming import reason_of
from tests.oracle import oracle
from tests.product import Product
from tests.signing import AUTHORIZATIONS, post, question
from tests.situations import VISA, holder, intents, link_token, pay

MASTERCARD = "pm_card_mastercard"


async def detach(product: Product, payment_method: str) -> None:
    await product.call("POST", f"/v1/payment_methods/{payment_method}/detach")


class TestALinkedCardThatStripeNoLongerHas:
    async def test_gives_way_to_the_next_one(self, product: Product) -> None:
        ada = await holder(product, sources=(VISA, MASTERCARD))
        await detach(product, ada.sources[0].stripe_payment_method_id)

        bought = await pay(product, ada.card, 1999)

        assert bought["approved"] is True
        await oracle(product)
        [held] = await intents(product, ada.customer.stripe_customer_id)
        assert held["payment_method"] == ada.sources[1].stripe_payment_method_id

    async def test_is_a_reason_of_its_own_where_there_is_no_other(self, product: Product) -> None:
        ada = await holder(product)
        await detach(product, ada.sources[0].stripe_payment_method_id)

        bought = await pay(product, ada.card, 1999)

        assert bought["approved"] is False
        assert await reason_of(product, bought["id"]) == "source_needs_refresh"
        await oracle(product)


class TestALinkedCardWhoseBankChangesItsMind:
    @pytest.mark.parametrize(
        ("token", "reason"),
        [
            ("pm_card_chargeDeclinedExpiredCard", "bank_card_expired"),
            ("pm_card_authenticationRequired", "bank_authentication_required"),
        ],
    )
    async def test_declines_and_the_next_one_pays(
        self, product: Product, token: str, reason: str
    ) -> None:
        ada = await holder(product, sources=(VISA,))
        saved = ada.sources[0].stripe_payment_method_id
        await product.control(f"payment_methods/{saved}/behaves_like", {"token": token})

        alone = await pay(product, ada.card, 1999)
        await link_token(product, ada.customer, MASTERCARD)
        both = await pay(product, ada.card, 2999)

        assert (alone["approved"], both["approved"]) == (False, True)
        assert await reason_of(product, alone["id"]) == reason
        await oracle(product)


class TestOneOfOurOwnVirtualCards:
    async def test_is_not_linked(self, product: Product) -> None:
        ada = await holder(product)
        real = ada.sources[0]
        await product.as_owner(
            "UPDATE card SET last4 = s.last4, exp_month = s.exp_month, exp_year = s.exp_year"
            " FROM funding_source AS s"
        )
        await product.as_owner("UPDATE funding_source SET state = 'removed', is_default = false")
        people = StripePeople(product.parts.stripe.other, product.parts.network)

        with pytest.raises(OurOwnCard):
            await link(
                product.parts.sessions,
                people,
                IssuedCards(),
                ada.customer.id,
                real.stripe_payment_method_id,
                actor=SYSTEM,
                now=product.parts.clock.now(),
            )

        assert await product.rows("SELECT 1 FROM funding_source WHERE state = 'active'") == []

    async def test_declines_our_own_charge_so_that_no_loop_begins(self, product: Product) -> None:
        ada = await holder(product)
        asked = question(ada.card.stripe_card_id, 2149)
        asked["data"]["object"]["merchant_data"]["name"] = "PROXYCARD* Blue Bottle"

        answer = await post(product.web, AUTHORIZATIONS, asked)

        assert answer.json() == {"approved": False}
        assert await intents(product, ada.customer.stripe_customer_id) == []


async def test_a_number_is_linked_once(product: Product) -> None:
    ada = await holder(product)

    with pytest.raises(CardAlreadyLinked):
        await link_token(product, ada.customer, VISA)
