"""Linking a real card: the consent, the bank's yes, and the cards that are not taken."""

import asyncio
import hashlib
import re

import httpx
import pytest

from tests.faults.arming import arm
from tests.portal import (
    begin_linking,
    customer,
    entered,
    finish_linking,
    form_token_on,
    hidden_on,
    letters,
    link_card,
    send,
    setup_on,
    sign_in,
    signed_up,
)
from tests.product import Product
from tests.situations import holder
from tests.waiting import until

LINKINGS = "SELECT * FROM card_linking ORDER BY created_at"
SOURCES = "SELECT * FROM funding_source ORDER BY created_at"


async def test_a_card_is_linked_with_the_consent_kept(product: Product) -> None:
    async with customer(product) as client:
        page = await client.get("/onboarding")
        assert "without asking me each time" in page.text
        done = await link_card(product, client)
        assert done.headers["location"] == "/onboarding"
        assert "first virtual card" in (await client.get("/onboarding")).text
    [source], [linking] = await product.rows(SOURCES), await product.rows(LINKINGS)
    assert (source["last4"], source["is_default"], source["state"]) == ("4242", True, "active")
    assert linking["state"] == "linked"
    assert linking["funding_source_id"] == source["id"]
    assert linking["address"] == "127.0.0.1"
    [agreed] = await product.rows(
        "SELECT * FROM agreement WHERE id = :id", id=linking["agreement_id"]
    )
    assert hashlib.sha256(agreed["text"].encode()).hexdigest() == agreed["sha256"]
    assert "5 % and 0.50 USD" in agreed["text"]
    [letter] = await letters(product, "card_linked")
    assert "Visa card ending in 4242" in letter["text"]


async def test_the_steps_stay_in_sight_until_the_first_card(product: Product) -> None:
    async with customer(product) as client:
        assert step_on(await client.get("/onboarding")) == "Link your card"
        assert step_on(await client.get("/password-again?next=/onboarding")) == "Link your card"
        assert step_on(await begin_linking(client, agree="")) == "Link your card"
        address = (await begin_linking(client)).headers["location"]
        assert step_on(await client.get(address)) == "Link your card"
        path = f"/v1/setup_intents/{await setup_on(client, address)}/confirm"
        token = "pm_card_authenticationRequiredOnSetup"
        await product.call("POST", path, payment_method=token)
        back = await client.get(address, params={"redirect_status": "failed"})
        assert step_on(back) == "Link your card"
        await link_card(product, client)
        assert step_on(await client.get("/onboarding")) == "First card"
        unnamed = await send(client, "/cards/new", {"nickname": ""})
        assert step_on(unnamed) == "First card"
    grace = await holder(product, email="grace@example.com")
    async with entered(product, grace.customer) as other:
        for path in (
            "/funding/link",
            "/cards/new",
            (await begin_linking(other)).headers["location"],
        ):
            assert 'class="steps"' not in (await other.get(path)).text


def step_on(page: httpx.Response) -> str:
    """Give the step that a page shows as the one that is being done."""
    assert page.text.count('aria-current="step"') == 1, page.text
    found = re.search(r'aria-current="step">.*?<span>([^<]+)<', page.text, re.DOTALL)
    assert found
    return found[1]


async def test_only_the_page_with_the_card_may_load_from_stripe(product: Product) -> None:
    sandbox = product.settings.stripe_js_url.rpartition("/_sandbox")[0]
    ada = await holder(product, sources=(), cards=0)
    async with entered(product, ada.customer) as client:
        address = (await begin_linking(client)).headers["location"]
        page = await client.get(address)
        opened = page.headers["content-security-policy"]
        scripts = re.findall(r'<script[^>]* src="([^"]+)"', page.text)
        other = (await client.get("/funding/link")).headers["content-security-policy"]
    assert {one.rpartition("/")[2] for one in scripts} == {
        *("portal.js", "live.js", "linking.js", "stripe.js")
    }
    assert {one for one in scripts if not one.startswith("/static/")} == {
        product.settings.stripe_js_url
    }
    assert f"frame-src {sandbox}" in opened
    assert f"script-src {sandbox} 'nonce-" in opened
    assert "unsafe" not in opened
    assert sandbox not in other


async def test_an_event_links_the_card_of_a_page_that_was_closed(product: Product) -> None:
    ada = await holder(product, sources=(), cards=0)
    async with entered(product, ada.customer) as client:
        address = (await begin_linking(client)).headers["location"]
        setup = await setup_on(client, address)
        await product.call(
            "POST", f"/v1/setup_intents/{setup}/confirm", payment_method="pm_card_visa"
        )

        async def linked() -> bool:
            return len(await product.rows(SOURCES)) == 1

        await until(linked)
        assert (await finish_linking(client, address)).headers["location"] == "/onboarding"
        assert "Your card is linked" in (await client.get(address)).text
    assert len(await product.rows(SOURCES)) == 1


async def test_the_bank_asks_and_is_answered(product: Product) -> None:
    ada = await holder(product, sources=(), cards=0)
    async with entered(product, ada.customer) as client:
        address = (await begin_linking(client)).headers["location"]
        setup = await setup_on(client, address)
        path = f"/v1/setup_intents/{setup}/confirm"
        token = "pm_card_authenticationRequiredOnSetup"
        asked = await product.call("POST", path, payment_method=token)
        assert asked["status"] == "requires_action"
        early = await finish_linking(client, address)
        assert early.headers["location"] == address
        await product.control(f"intents/{setup}/authenticate", {"succeed": True})
        back = await client.get(address, params={"redirect_status": "succeeded"})
        assert "Your bank has said yes" in back.text or "Your card is linked" in back.text
        assert (await finish_linking(client, address)).headers["location"] == "/onboarding"


@pytest.mark.parametrize(
    ("token", "why"), [("pm_card_mastercard_prepaid", "Prepaid cards cannot be linked")]
)
async def test_a_card_that_is_not_taken_is_forgotten_at_stripe(
    product: Product, token: str, why: str
) -> None:
    ada = await holder(product, sources=(), cards=0)
    async with entered(product, ada.customer) as client:
        refused = await link_card(product, client, token)
        page = await client.get(refused.headers["location"])
        assert why in page.text
        assert "Link another card" in page.text
    assert await product.rows(SOURCES) == []
    [row] = await product.rows("SELECT stripe_customer_id FROM customer")

    async def forgotten() -> bool:
        path = f"/v1/customers/{row['stripe_customer_id']}/payment_methods"
        found = await product.call("GET", path)
        return not found["data"]

    await until(forgotten)


async def test_the_same_number_is_linked_once(product: Product) -> None:
    ada = await holder(product, sources=(), cards=0)
    async with entered(product, ada.customer) as client:
        await link_card(product, client)
        again = await link_card(product, client)
        assert "linked already" in (await client.get(again.headers["location"])).text
        other = await link_card(product, client, "pm_card_mastercard")
        assert other.headers["location"] == "/onboarding"
    first, second = await product.rows(SOURCES)
    assert (first["priority"], second["priority"]) == (1, 2)
    assert (first["is_default"], second["is_default"]) == (True, False)


async def test_the_same_number_takes_the_place_of_one_that_pays_no_more(product: Product) -> None:
    ada = await holder(product, sources=(), cards=0)
    async with entered(product, ada.customer) as client:
        await link_card(product, client)
        await product.as_owner("UPDATE funding_source SET exp_year = 2020")
        renewed = await link_card(product, client)
        assert renewed.headers["location"] == "/onboarding"
    [source] = await product.rows(SOURCES)
    assert source["exp_year"] == 2034


async def test_a_virtual_card_of_the_customers_own_is_refused(product: Product) -> None:
    ada = await holder(product)
    await product.as_owner("UPDATE card SET last4 = '4444', exp_month = 12, exp_year = 2034")
    async with entered(product, ada.customer) as client:
        refused = await link_card(product, client, "pm_card_mastercard")
        assert "one of your virtual cards" in (await client.get(refused.headers["location"])).text


async def test_without_a_tick_or_with_old_words_nothing_begins(product: Product) -> None:
    ada = await holder(product, sources=(), cards=0)
    async with entered(product, ada.customer) as client:
        unticked = await begin_linking(client, agree="")
        assert unticked.status_code == 422
        assert "agree to the words" in unticked.text
        old = await begin_linking(client, shown="0" * 64)
        assert "Read them again" in old.text
    assert await product.rows(LINKINGS) == []


async def test_sent_twice_at_once_it_begins_once(product: Product) -> None:
    ada = await holder(product, sources=(), cards=0)
    async with entered(product, ada.customer) as client:
        page = await client.get("/funding/link")
        fields = {name: hidden_on(page, name) for name in ("form_token", "once", "shown")}
        sent = [client.post("/funding/link", data=fields | {"agree": "yes"}) for _ in range(3)]
        addresses = {answer.headers["location"] for answer in await asyncio.gather(*sent)}
        assert len(addresses) == 1
        await asyncio.gather(*(client.get(addresses.copy().pop()) for _ in range(3)))
    assert len(await product.rows(LINKINGS)) == 1
    assert len((await product.call("GET", "/v1/setup_intents"))["data"]) == 1


async def test_it_wants_the_password_of_just_now(product: Product) -> None:
    ada = await holder(product, sources=(), cards=0)
    async with entered(product, ada.customer) as client:
        await product.as_owner(
            "UPDATE customer_session SET password_at = now() - interval '6 minutes'"
        )
        page = await client.get("/funding/link")
        assert "give your password again first" in page.text
        token = form_token_on(page)
        sent = await client.post("/funding/link", data={"form_token": token, "agree": "yes"})
        assert sent.headers["location"] == "/funding/link"
    assert await product.rows(LINKINGS) == []


async def test_who_tries_again_and_again_has_to_wait(product: Product) -> None:
    ada = await holder(product, sources=(), cards=0)
    async with entered(product, ada.customer) as client:
        for _ in range(6):
            assert (await begin_linking(client)).status_code == 303
        late = await begin_linking(client)
        assert late.status_code == 429
        assert "minutes" in late.text
        assert int(late.headers["retry-after"]) > 3000


async def test_a_page_at_which_banks_refused_too_often_has_ended(product: Product) -> None:
    ada = await holder(product, sources=(), cards=0)
    async with entered(product, ada.customer) as client:
        address = (await begin_linking(client)).headers["location"]
        setup = await setup_on(client, address)
        for _ in range(4):
            await product.call(
                "POST",
                f"/v1/setup_intents/{setup}/confirm",
                payment_method="pm_card_visa_chargeDeclinedLostCard",
            )

        async def ended() -> bool:
            found = await product.call("GET", f"/v1/setup_intents/{setup}")
            return bool(found["status"] == "canceled")

        await until(ended)
        assert "Several cards were refused" in (await client.get(address)).text


async def test_what_is_another_customers_is_not_found(product: Product) -> None:
    ada = await holder(product, sources=(), cards=0)
    async with entered(product, ada.customer) as client:
        address = (await begin_linking(client)).headers["location"]
        await link_card(product, client)
    [source] = await product.rows(SOURCES)
    eve = await holder(product, email="eve@example.com", sources=(), cards=0)
    async with entered(product, eve.customer) as other:
        assert (await other.get(address)).status_code == 404
        assert (await finish_linking(other, address)).status_code == 404
        assert (await other.get(f"/funding/link?confirms={source['id']}")).status_code == 404
        assert (await begin_linking(other, confirms=str(source["id"]))).status_code == 404


async def test_who_is_no_customer_yet_goes_on_with_the_steps(product: Product) -> None:
    async with signed_up(product) as client:
        assert (await client.get("/funding/link")).headers["location"] == "/onboarding"
        await send(client, "/sign-out", {}, opened="/onboarding")
        assert (await client.get("/funding/link")).headers["location"].startswith("/sign-in")
        await sign_in(client)


async def test_while_stripe_is_silent_it_says_so_and_goes_on_later(product: Product) -> None:
    ada = await holder(product, sources=(), cards=0)
    async with entered(product, ada.customer) as client:
        address = (await begin_linking(client)).headers["location"]
        await arm(product, "status", "/v1/setup_intents", times=None)
        silent = await client.get(address)
        assert silent.status_code == 503
        assert "Stripe does not answer" in silent.text
        await product.stripe.delete("/_sandbox/faults")
