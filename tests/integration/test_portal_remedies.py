"""What a declined purchase's page says to do is done from there, and the next try passes."""

import html
import re

import httpx

from tests.integration.test_portal_paying import answer, begin, intent_on
from tests.integration.test_portal_purchases import id_of
from tests.portal import act, entered, hidden_on
from tests.product import Product
from tests.situations import LATER_DECLINES, VISA, Holder, behave, force_capture, holder, pay

MASTERCARD = "pm_card_mastercard"
ASKS = "pm_card_authenticationRequired"


class Desk:
    """A customer at their pages, whose purchases are declined."""

    def __init__(self, product: Product, client: httpx.AsyncClient, ada: Holder) -> None:
        self.product = product
        self.client = client
        self.ada = ada

    async def declined(self, told: str, way: str, *, card: int = 0, minor: int = 900) -> str:
        """Buy, be declined, and read why; give the address of the page that has the way on."""
        bought = await pay(self.product, self.ada.cards[card], minor)
        assert not bought["approved"]
        await self.product.settled()
        where = f"/purchases/{await id_of(self.product, bought['id'])}"
        page = html.unescape((await self.client.get(where)).text)
        assert told in page
        assert "What to do:" in page
        assert way in page, page
        return where

    async def passes(self, *, card: int = 0, minor: int = 900) -> None:
        assert (await pay(self.product, self.ada.cards[card], minor))["approved"]

    async def set_limits(self, path: str, **wanted: str) -> None:
        page = await self.client.get(path)
        fields = {name: hidden_on(page, name) for name in ("form_token", "seen")}
        done = await self.client.post(
            path,
            data=fields | {"daily": "70", "monthly": "700", "lock": "any", "kinds": "any"} | wanted,
        )
        assert done.status_code == 303, done.text
        await self.product.settled()  # Stripe is told of them


async def test_each_step_that_a_card_needs_is_taken_from_the_declined_purchase(
    product: Product,
) -> None:
    ada = await holder(product, cards=3, purchase_limit_minor=500)
    async with entered(product, ada.customer) as client:
        desk = Desk(product, client, ada)
        limits = f"/cards/{ada.card.id}/limits"
        await desk.declined("limit", limits)
        await desk.set_limits(limits, purchase="50")
        await desk.passes()

        await desk.set_limits(
            limits, purchase="50", kinds="only", kind="flights, hotels and travel agencies"
        )
        where = await desk.declined("kind of merchant", f"/cards/{ada.card.id}")
        done = await act(client, f"{where}/allow-once")
        assert done.headers["location"] == f"{where}?done=allowed"
        await desk.passes()
        await desk.declined("kind of merchant", f"/cards/{ada.card.id}")
        await desk.set_limits(limits, purchase="50")
        await desk.passes()

        freeze = f"/cards/{ada.card.id}"
        await act(client, f"{freeze}/freeze")
        where = await desk.declined("frozen", f"{freeze}/unfreeze")
        assert (await act(client, f"{freeze}/unfreeze", next=where)).headers["location"] == where
        assert "The card works again." in (await client.get(where)).text
        await product.settled()
        await desk.passes()

        await act(client, f"/cards/{ada.cards[1].id}/close", sure="yes")
        await product.settled()
        await desk.declined("closed", "/cards/new", card=1)


async def test_where_and_until_when_a_card_works_is_changed_by_its_customer(
    product: Product,
) -> None:
    ada = await holder(product, cards=2, allowed_countries=["CA"])
    card = ada.card.id
    limits = f"/cards/{card}/limits"
    async with entered(product, ada.customer) as client:
        desk = Desk(product, client, ada)
        await desk.declined("does not allow merchants in this country", f"/cards/{card}")
        assert "Only in Canada" in (await client.get(f"/cards/{card}")).text
        await desk.set_limits(limits, countries="canada; us")
        assert 'value="Canada, United States"' in (await client.get(limits)).text
        await desk.passes()

        await product.as_owner(
            f"UPDATE card SET active_until = now() - interval '2 days' WHERE id = '{card}'"  # noqa: S608
        )
        where = await desk.declined("a date that has passed", f"/cards/{card}")
        kept = re.search(r'name="until"[^>]* value="([^"]+)"', (await client.get(limits)).text)
        assert kept
        await desk.set_limits(limits, until=kept[1], purchase="60")  # what is over may stay so
        await desk.declined("a date that has passed", f"/cards/{card}")
        await act(client, f"{where}/allow-once")
        await desk.passes()
        today = product.parts.clock.now().date()
        await desk.set_limits(limits, until=today.isoformat())
        assert f"Until {today.day} {today:%B %Y}" in (await client.get(f"/cards/{card}")).text
        await desk.passes()
        await desk.set_limits(limits)
        [row] = await product.rows(f"SELECT * FROM card WHERE id = '{card}'")  # noqa: S608
        assert (row["active_until"], row["allowed_countries"]) == (None, [])


async def test_a_card_that_stripe_issued_inactive_is_activated_by_its_customer(
    product: Product,
) -> None:
    ada = await holder(product)
    where = f"/cards/{ada.card.id}"
    await product.as_owner("UPDATE card SET state = 'inactive'")
    async with entered(product, ada.customer) as client:
        desk = Desk(product, client, ada)
        await desk.declined("has not been activated", where)
        assert ">Activate<" in (await client.get(where)).text
        done = await act(client, f"{where}/unfreeze")
        assert done.headers["location"] == f"{where}?done=unfrozen"
        await product.settled()
        await desk.passes()
    [entry] = await product.rows("SELECT * FROM audit_entry WHERE action LIKE 'card.%activate'")
    assert entry["action"] == "card.activate"


async def test_that_a_card_is_reported_stolen_is_not_told_to_who_holds_it(
    product: Product,
) -> None:
    ada = await holder(product)
    async with entered(product, ada.customer) as client:
        desk = Desk(product, client, ada)
        for token in ("pm_card_visa_chargeDeclinedStolenCard", "pm_card_radarBlock"):
            await behave(product, ada.sources[0].stripe_payment_method_id, token)
            where = await desk.declined("said no, and gave no reason", "/funding")
            page = (await client.get(where)).text.casefold()
            assert not re.search("stolen|lost|fraud|suspect", page)
    said = await product.rows("SELECT decline_code FROM charge ORDER BY created_at")
    assert [row["decline_code"] for row in said] == ["stolen_card", "fraudulent"]


async def test_each_step_that_a_linked_card_needs_is_taken_from_the_declined_purchase(
    product: Product,
) -> None:
    ada = await holder(product, sources=(VISA, MASTERCARD))
    _, second = ada.sources
    async with entered(product, ada.customer) as client:
        desk = Desk(product, client, ada)
        for source in ada.sources:
            await behave(product, source.stripe_payment_method_id, LATER_DECLINES)
        await desk.declined("bank said no", "/funding")
        await behave(product, second.stripe_payment_method_id, VISA)
        await act(client, f"/funding/{second.id}/order", way="first")
        await desk.passes()

        await behave(product, second.stripe_payment_method_id, ASKS)
        await desk.declined("authentication needed", "/funding")
        assert "Confirm with my bank" in (await client.get("/funding")).text

        # Nobody pays what a merchant takes by force, and after some days the cards stop.
        await force_capture(product, ada.card, 3_000)
        await product.settled()
        await product.as_owner(
            "UPDATE receivable SET opened_at = opened_at - interval '60 days';"
            "UPDATE customer SET in_debt_since = in_debt_since - interval '60 days'"
        )
        await desk.declined("An earlier purchase could not be charged", "/funding")
        page = await client.get("/funding")
        pays = re.search(r"/funding/pay/[0-9a-f-]+", page.text)
        assert pays, page.text
        payment = await begin(client, pays[0], second.id)
        await answer(product, await intent_on(client, payment), yes=True)
        await act(client, f"{payment}/finish")
        await behave(product, second.stripe_payment_method_id, VISA)
        await desk.passes()
