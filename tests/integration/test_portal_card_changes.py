"""What customers do with the cards they have: freeze, limit, lock, replace and close them."""

import httpx

from tests.portal import act, entered, hidden_on
from tests.product import Product
from tests.situations import VISA, force_capture, holder, pay

CARDS = "SELECT * FROM card ORDER BY created_at"
LATEST_SOURCE = (
    "SELECT last4 FROM charge JOIN funding_source AS s ON s.id = funding_source_id"
    " ORDER BY charge.created_at DESC LIMIT 1"
)


async def test_a_frozen_card_declines_until_it_is_unfrozen(product: Product) -> None:
    ada = await holder(product)
    path = f"/cards/{ada.card.id}"
    async with entered(product, ada.customer) as client:
        for _ in range(2):
            assert (await act(client, f"{path}/freeze")).status_code == 303
        assert not (await pay(product, ada.card, 500))["approved"]
        page = await client.get(f"{path}?done=frozen")
        assert "Purchases are declined until" in page.text
        assert 'data-state="frozen"' in page.text
        assert (await act(client, f"{path}/unfreeze")).headers["location"].endswith("unfrozen")
        onward = "/purchases/0193b1f0-0000-7000-8000-000000000000"
        back = await act(client, f"{path}/freeze", next=onward)
        assert back.headers["location"] == onward
        away = await act(client, f"{path}/unfreeze", next="//evil.example")
        assert away.headers["location"].startswith(path)

    await product.settled()
    assert (await pay(product, ada.card, 500))["approved"]


async def test_limits_are_raised_and_a_stale_page_says_so(product: Product) -> None:
    ada = await holder(product, daily_limit_minor=1_000, allowed_categories=["bakeries"])
    path = f"/cards/{ada.card.id}/limits"
    async with entered(product, ada.customer) as client:
        page = await client.get(path)
        assert 'value="one:bakeries" checked' in page.text
        fields = {name: hidden_on(page, name) for name in ("form_token", "seen")}
        wanted = fields | {"daily": "70", "monthly": "5,000", "purchase": "", "lock": "any"}
        kept = wanted | {"kinds": "only", "kind": "one:bakeries"}
        assert (await client.post(path, data=kept)).headers["location"].endswith("done=limits")
        [row] = await product.rows(CARDS)
        assert row["allowed_categories"] == ["bakeries"]
        stale = await client.post(path, data=wanted | {"kinds": "any"})
        assert stale.status_code == 409
        assert "changed since the page was opened" in stale.text
        fresh = wanted | {"kinds": "any", "seen": hidden_on(stale, "seen")}
        assert (await client.post(path, data=fresh)).status_code == 303
        refused = await client.post(path, data=fresh | {"daily": "nothing"})
        assert refused.status_code == 422
    assert (await pay(product, ada.card, 6_000))["approved"]


async def test_a_card_is_locked_to_a_merchant_that_it_was_used_at(product: Product) -> None:
    ada = await holder(product)
    path, at = f"/cards/{ada.card.id}/limits", {"merchant_data[network_id]": "1000001"}
    await pay(product, ada.card, 500, "SQ *BLUE BOTTLE #12", **at)
    async with entered(product, ada.customer) as client:
        page = await client.get(path)
        assert "At Blue Bottle only" in page.text
        fields = {name: hidden_on(page, name) for name in ("form_token", "seen")}
        wanted = fields | {"daily": "70", "monthly": "700", "kinds": "any"}
        done = await client.post(path, data=wanted | {"lock": "at:1000001"})
        assert done.status_code == 303
        assert 'value="at:1000001" checked' in (await client.get(path)).text
        assert "Only at the one merchant" in (await client.get(f"/cards/{ada.card.id}")).text
        assert not (await pay(product, ada.card, 500, "Elsewhere"))["approved"]
        assert (await pay(product, ada.card, 500, "Blue Bottle", **at))["approved"]
        fresh = wanted | {"seen": hidden_on(await client.get(path), "seen")}
        await client.post(path, data=fresh | {"lock": "at:9999999"})
    [row] = await product.rows(CARDS)
    assert row["merchant_lock"] is None


async def test_a_card_is_charged_to_the_linked_card_it_names(product: Product) -> None:
    ada = await holder(product, sources=(VISA, "pm_card_mastercard"))
    path = f"/cards/{ada.card.id}/limits"
    async with entered(product, ada.customer) as client:

        async def choose(source: str) -> httpx.Response:
            page = await client.get(path)
            fields = {name: hidden_on(page, name) for name in ("form_token", "seen")}
            limits = {"daily": "70", "monthly": "700", "lock": "any", "kinds": "any"}
            return await client.post(path, data=fields | limits | {"pays": source})

        refused = await choose("0193b1f0-0000-7000-8000-000000000000")
        assert "Choose one of your linked cards." in refused.text
        for source, charged in (
            (str(ada.sources[1].id), "4444"),
            ("", "4444"),
            ("order", "4242"),
            (str(ada.sources[1].id), "4444"),
        ):
            assert (await choose(source)).status_code == 303
            await product.settled()
            assert (await pay(product, ada.card, 500))["approved"]
            [row] = await product.rows(LATEST_SOURCE)
            assert row["last4"] == charged
        # What a merchant takes beyond is charged there, too; and a new number keeps the choice.
        await force_capture(product, ada.card, 700)
        await product.settled()
        assert (await product.rows(LATEST_SOURCE))[0]["last4"] == "4444"
        assert "Mastercard" in (await client.get(f"/cards/{ada.card.id}")).text
        replaced = await act(client, f"/cards/{ada.card.id}/replace")
        assert "Mastercard" in (await client.get(replaced.headers["location"])).text


async def test_a_closed_card_says_what_still_comes(product: Product) -> None:
    ada = await holder(product)
    path = f"/cards/{ada.card.id}"
    async with entered(product, ada.customer) as client:
        asked = await client.get(f"{path}/close")
        assert "What you bought before is still taken" in asked.text
        for _ in range(2):
            assert (await act(client, f"{path}/close")).status_code == 303
        assert "This card is closed" in (await client.get(path)).text
        assert (await client.get(f"{path}/close")).status_code == 303
        assert "1 closed card" in (await client.get("/cards")).text
    assert not (await pay(product, ada.card, 500)).get("approved")


async def test_a_replaced_card_has_another_number_and_the_same_limits(product: Product) -> None:
    ada = await holder(product, daily_limit_minor=7_700)
    path = f"/cards/{ada.card.id}"
    async with entered(product, ada.customer) as client:
        assert "a new number at once" in (await client.get(f"{path}/replace")).text
        done = await act(client, f"{path}/replace", lost="yes")
        assert done.headers["location"].endswith("?done=replaced")
        assert "This is the new card" in (await client.get(done.headers["location"])).text
        again = await act(client, f"{path}/replace", lost="yes")
        assert again.headers["location"] == path
    old, new = await product.rows(CARDS)
    assert (old["state"], new["state"]) == ("closed", "active")
    assert new["daily_limit_minor"] == 7_700
    assert new["nickname"] == old["nickname"]


async def test_another_customers_card_is_not_found(product: Product) -> None:
    ada = await holder(product)
    eve = await holder(product, email="eve@example.com", cards=0)
    path = f"/cards/{ada.card.id}"
    async with entered(product, eve.customer) as client:
        for page in ("", "/limits", "/close", "/replace"):
            assert (await client.get(path + page)).status_code == 404, page
        for form in ("freeze", "unfreeze", "rename", "limits", "close", "replace"):
            sent = await act(client, f"{path}/{form}", nickname="Mine", daily="1", monthly="1")
            assert sent.status_code == 404, form
        assert "Card 1" not in (await client.get("/cards")).text
    [row] = await product.rows(CARDS)
    assert (row["state"], row["nickname"]) == ("active", "Card 1")
