"""From sign-up to customer: each field as it is wanted, texts as shown, and Stripe's whims."""

import asyncio
import hashlib
import html
import re

import pytest
from sqlalchemy.exc import DBAPIError

from tests.faults.arming import arm
from tests.portal import (
    EMAIL,
    IDENTITY,
    accept_terms,
    browser,
    customer,
    form_token_on,
    letters,
    onboard,
    send,
    sign_in,
    signed_up,
)
from tests.product import Product
from tests.waiting import until


async def test_the_steps_make_a_customer_here_and_at_stripe(product: Product) -> None:
    async with signed_up(product) as client:
        assert (await client.get("/dashboard")).headers["location"] == "/onboarding"
        first = await client.get("/onboarding")
        assert 'aria-current="step"' in first.text
        assert (await onboard(client)).headers["location"] == "/onboarding"
        linked = await client.get("/onboarding")
        assert "Link your card" in linked.text
        assert "Hello, Ada" in (await client.get("/dashboard")).text
    [row] = await product.rows(
        "SELECT k.* FROM customer k JOIN credential c ON c.customer_id = k.id"
    )
    assert (row["state"], row["email"], row["phone"]) == ("active", EMAIL, "+14155550142")
    assert await product.rows("SELECT 1 FROM identity_draft") == []
    holder = await product.call("GET", f"/v1/issuing/cardholders/{row['stripe_cardholder_id']}")
    assert holder["name"] == "Ada Byron"
    assert holder["individual"]["dob"] == {"day": 10, "month": 12, "year": 1990}
    accepted = holder["individual"]["card_issuing"]["user_terms_acceptance"]
    assert accepted["ip"] == "127.0.0.1"
    known = await product.call("GET", f"/v1/customers/{row['stripe_customer_id']}")
    assert known["email"] == EMAIL


async def test_what_was_accepted_is_kept_as_it_was_shown(product: Product) -> None:
    async with signed_up(product) as client:
        await send(client, "/onboarding/identity", IDENTITY, opened="/onboarding")
        page = html.unescape((await client.get("/onboarding")).text)
        await accept_terms(client)
        assert "version 2026-11" in (await client.get("/settings")).text
    kept = await product.rows(
        "SELECT g.*, a.accepted_at, a.address FROM acceptance a"
        " JOIN agreement g ON g.id = agreement_id ORDER BY kind"
    )
    assert [row["kind"] for row in kept] == ["fees", "terms"]
    for row in kept:
        assert hashlib.sha256(row["text"].encode()).hexdigest() == row["sha256"]
        assert row["sha256"] in page
        assert row["address"] == "127.0.0.1"
        for line in row["text"].splitlines():
            assert line.removeprefix("## ") in page
    assert "A purchase of 100.00 USD costs you 105.50 USD" in kept[0]["text"]
    with pytest.raises(DBAPIError, match="append-only"):
        await product.rows("UPDATE acceptance SET address = 'elsewhere' RETURNING id")


async def test_texts_that_changed_meanwhile_have_to_be_read_again(product: Product) -> None:
    async with signed_up(product) as client:
        await send(client, "/onboarding/identity", IDENTITY, opened="/onboarding")
        page = await client.get("/onboarding")
        await product.as_owner("UPDATE price_plan SET percent_bps = 600")
        shown = re.search(r'name="shown" value="([0-9a-f.]+)"', page.text)
        assert shown
        fields = {"form_token": form_token_on(page), "shown": shown[1], "agree": "yes"}
        stale = await client.post("/onboarding/terms", data=fields)
        assert stale.status_code == 422
        assert "Read them again" in stale.text
        fields = {"form_token": form_token_on(stale), "shown": new_mark(stale.text)}
        unticked = await client.post("/onboarding/terms", data=fields)
        assert "agree to the terms" in unticked.text
        assert await product.rows("SELECT 1 FROM acceptance") == []


def new_mark(page: str) -> str:
    found = re.search(r'name="shown" value="([0-9a-f.]+)"', page)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("field", "typed", "wanted"),
    [
        ("first_name", "", "as it is in your passport"),
        ("first_name", "R2D2", "letters, spaces, hyphens"),
        ("last_name", "<b>", "letters, spaces, hyphens"),
        ("last_name", "北京", "Write it in Latin letters"),
        ("birth_date", "yesterday", "date of birth, like"),
        ("birth_date", "2015-01-01", "18 or older"),
        ("birth_date", "1850-01-01", "too long ago"),
        ("phone", "555", "phone number with its country"),
        ("phone", "call me", "phone number with its country"),
        ("address_line1", "", "the street and the number"),
        ("address_line1", "?", "like 12 Main Street"),
        ("address_line1", "x" * 101, "100 characters at most"),
        ("address_line2", "-", "or leave it empty"),
        ("city", "1", "the city where you live, like Portland"),
        ("region", "ZZ", "Choose your state"),
        ("postal_code", "9411", "ZIP code, like"),
        ("country", "FR", "United States only"),
    ],
)
async def test_a_wrong_field_is_told_at_its_place_and_the_rest_is_kept(
    product: Product, field: str, typed: str, wanted: str
) -> None:
    async with signed_up(product) as client:
        told = IDENTITY | {field: typed}
        answer = await send(client, "/onboarding/identity", told, opened="/onboarding")
    assert answer.status_code == 422
    place = re.search(rf'id="{field}-wanted">([^<]+)<', answer.text)
    assert place
    assert wanted in place[1]
    assert answer.text.count('aria-invalid="true"') == 1
    assert "<b>" not in answer.text
    kept = "Byron" if field != "last_name" else "Ada"
    assert f'value="{kept}"' in answer.text
    if field in {"address_line1", "address_line2", "city"}:
        assert f'value="{typed[:100]}"' in answer.text


async def test_real_names_and_addresses_are_taken_as_they_are(product: Product) -> None:
    real = {
        "first_name": "Nun\u0303ez",
        "last_name": "O\u2019Neil-d'Arc Jr.",
        "address_line1": "12 B",
        "address_line2": "4",
        "city": "北京",
    }
    async with signed_up(product) as client:
        assert (await onboard(client, **real)).headers["location"] == "/onboarding"
        assert "12 B, 4" in (await client.get("/settings")).text
    [row] = await product.rows("SELECT * FROM customer")
    assert (row["first_name"], row["last_name"]) == ("Nuñez", "O'Neil-d'Arc Jr.")
    assert row["city"] == "北京"


async def test_answers_from_before_more_was_wanted_are_asked_for_again(product: Product) -> None:
    async with signed_up(product) as client:
        await send(client, "/onboarding/identity", IDENTITY, opened="/onboarding")
        await product.as_owner("""UPDATE identity_draft SET answers = answers || '{"city": "1"}'""")
        asked = await accept_terms(client)
        assert asked.status_code == 422
        assert 'id="city-wanted"' in asked.text
        assert 'value="12 Analytical Row"' in asked.text
    assert await product.rows("SELECT 1 FROM customer") == []


async def test_answers_are_kept_over_a_sign_out(product: Product) -> None:
    async with signed_up(product) as client:
        await send(client, "/onboarding/identity", IDENTITY, opened="/onboarding")
        await send(client, "/sign-out", {}, opened="/onboarding")
        await sign_in(client)
        assert "I agree to the terms" in (await client.get("/onboarding")).text
        again = await client.get("/onboarding?step=identity")
        assert 'value="12 Analytical Row"' in again.text
        assert 'value="+14155550142"' in again.text


async def test_sent_twice_at_once_it_makes_one_customer(product: Product) -> None:
    async with signed_up(product) as client:
        await send(client, "/onboarding/identity", IDENTITY, opened="/onboarding")
        page = await client.get("/onboarding")
        fields = {"form_token": form_token_on(page), "shown": new_mark(page.text), "agree": "yes"}
        sent = [client.post("/onboarding/terms", data=fields) for _ in range(3)]
        answers = await asyncio.gather(*sent)
        assert {answer.status_code for answer in answers} == {303}
    assert len(await product.rows("SELECT 1 FROM customer")) == 1
    assert len((await product.call("GET", "/v1/issuing/cardholders"))["data"]) == 1
    assert len((await product.call("GET", "/v1/customers"))["data"]) == 1


async def test_when_stripe_fails_half_way_the_next_try_goes_on(product: Product) -> None:
    async with signed_up(product) as client:
        await send(client, "/onboarding/identity", IDENTITY, opened="/onboarding")
        await arm(product, "status", "/v1/issuing/cardholders", times=None)
        failed = await accept_terms(client)
        assert failed.status_code == 503
        assert "does not answer at the moment" in failed.text
        await product.stripe.delete("/_sandbox/faults")

        async def goes_on() -> bool:
            return (await accept_terms(client)).status_code == 303

        await until(goes_on)
        assert "Hello, Ada" in (await client.get("/dashboard")).text
    assert len((await product.call("GET", "/v1/customers"))["data"]) == 1


async def test_what_stripe_made_before_it_failed_is_found_again(product: Product) -> None:
    async with signed_up(product) as client:
        await send(client, "/onboarding/identity", IDENTITY, opened="/onboarding")
        for path in ("/v1/customers", "/v1/issuing/cardholders"):
            await arm(product, "status", path, times=None, after_effect=True)
        assert (await accept_terms(client)).status_code == 303
    await product.stripe.delete("/_sandbox/faults")
    for path in ("/v1/customers", "/v1/issuing/cardholders"):
        assert len((await product.call("GET", path))["data"]) == 1


async def test_an_address_of_somebody_else_at_stripe_is_not_taken_over(product: Product) -> None:
    async with customer(product) as client:
        await client.get("/dashboard")
    await product.as_owner("UPDATE credential SET customer_id = NULL")
    async with browser(product) as client:
        await sign_in(client)
        await send(
            client, "/onboarding/identity", IDENTITY | {"first_name": "Eve"}, opened="/onboarding"
        )
        refused = await accept_terms(client)
        assert refused.status_code == 409
        assert "Another person is a customer" in refused.text
    await letters(product, "verify_email")
