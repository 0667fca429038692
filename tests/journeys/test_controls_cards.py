"""A card's own controls: one use, one merchant, a last day, and less where a limit leaves less."""

import json
from datetime import timedelta
from typing import Any

from aiohttp import web

from tests.controls import declined, later
from tests.faults.arming import reason_of
from tests.faults.relay import Passage, relaying, shown
from tests.oracle import oracle
from tests.product import Product
from tests.signing import AUTHORIZATIONS, post
from tests.situations import Holder, at, helper, holder, intents, pay

FUEL = {"is_amount_controllable": "true", "merchant_data[category]": "automated_fuel_dispensers"}


async def test_probes_use_up_no_card_for_one_purchase(product: Product) -> None:
    ada = await holder(product, single_use=True)

    answers = [await pay(product, ada.card, amount) for amount in (0, 100, 1, 1999)]

    assert [one["approved"] for one in answers] == [True] * 4
    await declined(product, "single_use_spent", lambda: pay(product, ada.card, 101))
    await oracle(product)


class TestACardThatStaysWhereItWasFirstUsed:
    async def test_knows_the_merchant_by_its_id_or_its_name(self, product: Product) -> None:
        ada = await holder(product, lock_to_first_merchant=True)
        first = await pay(product, ada.card, 1999, "SQ *BLUE BOTTLE 042", **at("1"))
        assert first["approved"] is True

        for name, network_id in (
            ("Blue Bottle Coffee", "2"),
            ("BLUE BOTTLE*9X2", "3"),
            ("Something Else", "1"),
            ("BLUE  BOTTLE #17 OAKLAND", "4"),
        ):
            bought = await pay(product, ada.card, 1999, name, **at(network_id))
            assert bought["approved"] is True, name
        await declined(
            product,
            "locked_to_merchant",
            lambda: pay(product, ada.card, 1999, "Blue Apron", **at("5")),
        )
        await oracle(product)

    async def test_is_not_bound_by_a_probe_or_a_decline(self, product: Product) -> None:
        ada = await holder(product, lock_to_first_merchant=True)
        await pay(product, ada.card, 100, "Blue Apron", **at("1"))
        await product.as_owner("UPDATE card SET blocked_countries = '{FR}'")
        abroad = {"merchant_data[country]": "FR"}
        refused = await pay(product, ada.card, 1999, "Blue Apron", **at("1"), **abroad)

        bought = await pay(product, ada.card, 1999, "Blue Bottle", **at("2"))

        assert (refused["approved"], bought["approved"]) == (False, True)
        probed = await pay(product, ada.card, 100, "Blue Apron", **at("1"))
        assert probed["approved"] is True
        await declined(
            product,
            "locked_to_merchant",
            lambda: pay(product, ada.card, 1999, "Blue Apron", **at("1")),
        )
        await oracle(product)

    async def test_tells_merchants_without_a_name_apart_by_their_ids(
        self, product: Product
    ) -> None:
        ada = await holder(product, lock_to_first_merchant=True)

        answers = [await pay_nameless(product, ada, network_id) for network_id in "121"]

        assert [one["approved"] for one in answers] == [True, False, True]
        assert await reason_of(product, answers[1]["id"]) == "locked_to_merchant"
        await oracle(product)


async def pay_nameless(product: Product, ada: Holder, network_id: str) -> dict[str, Any]:
    """Buy where the merchant gives an id and no name."""

    async def way(passage: Passage) -> web.Response:
        asked = json.loads(passage.body)
        asked["data"]["object"]["merchant_data"]["name"] = None
        return shown(await post(product.web, AUTHORIZATIONS, asked))

    async with relaying(product) as between:
        between.way = way
        return await pay(product, ada.card, 1999, **at(network_id))


async def test_a_card_works_until_its_last_moment(product: Product) -> None:
    until = product.parts.clock.now() + timedelta(hours=1)
    ada = await holder(product, active_until=until)
    assert (await pay(product, ada.card, 1999))["approved"] is True

    await later(product, hours=1)

    await declined(product, "outside_active_dates", lambda: pay(product, ada.card, 1999))
    await oracle(product)


class TestAPurchaseThatMayBeLess:
    async def test_is_approved_for_what_the_limit_leaves(self, product: Product) -> None:
        ada = await holder(product)
        await product.as_owner("UPDATE card SET daily_limit_minor = 1500")

        bought = await pay(product, ada.card, 10_000, **FUEL)

        assert (bought["approved"], bought["amount"]) == (True, 1500)
        [held] = await intents(product, ada.customer.stripe_customer_id)
        assert (held["status"], held["amount"]) == ("requires_capture", 1625)
        await oracle(product)
        await helper(product, bought["id"], "capture", capture_amount=1200)
        await oracle(product)
        [charge] = await product.rows("SELECT captured_minor FROM charge")
        assert charge == {"captured_minor": 1310}

    async def test_is_declined_where_too_little_is_left(self, product: Product) -> None:
        ada = await holder(product)
        await product.as_owner("UPDATE card SET daily_limit_minor = 1999")
        most = await pay(product, ada.card, 1900, **FUEL)
        assert most["approved"] is True

        less = await pay(product, ada.card, 10_000, **FUEL)

        assert await reason_of(product, less["id"]) == "over_daily_limit"
        await oracle(product)

    async def test_is_declined_where_the_cash_back_is_more_than_is_left(
        self, product: Product
    ) -> None:
        ada = await holder(product)
        await product.as_owner("UPDATE card SET daily_limit_minor = 1500")

        bought = await pay(
            product, ada.card, 10_000, **FUEL, **{"amount_details[cashback_amount]": "1501"}
        )

        assert await reason_of(product, bought["id"]) == "over_daily_limit"
        await oracle(product)

    async def test_is_not_lessened_where_the_merchant_wants_it_all(self, product: Product) -> None:
        ada = await holder(product)
        await product.as_owner("UPDATE card SET daily_limit_minor = 1500")

        await declined(product, "over_daily_limit", lambda: pay(product, ada.card, 2000))
        await oracle(product)
