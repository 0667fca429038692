"""Virtual cards in the portal: opening them, and what names they may have."""

import asyncio
import html
import re

import httpx
import pytest

from app.domain.issuing.category_groups import GROUPS, CategoryGroup
from tests.faults.arming import arm
from tests.portal import act, entered, hidden_on
from tests.product import Product
from tests.situations import holder, pay

NEW = {
    "nickname": "Streaming",
    "daily": "50",
    "monthly": "200.00",
    "purchase": "20",
    "lock": "first",
    "kinds": "any",
    "single_use": "",
}
CARDS = "SELECT * FROM card ORDER BY created_at"
HOSTILE = "<img src=x onerror=alert(1)>"


async def open_card(client: httpx.AsyncClient, **changed: object) -> httpx.Response:
    page = await client.get("/cards/new")
    fields = {name: hidden_on(page, name) for name in ("form_token", "once")}
    return await client.post("/cards/new", data=fields | NEW | changed)


async def test_a_card_is_opened_with_its_limits_here_and_at_stripe(product: Product) -> None:
    ada = await holder(product, cards=0)
    async with entered(product, ada.customer) as client:
        assert "No card yet" in (await client.get("/cards")).text
        done = await open_card(client)
        assert done.headers["location"].endswith("?done=first")
        page = await client.get(done.headers["location"])
        assert "Only at the first merchant it is used at" in page.text
        assert "$0.00 of $50.00" in page.text
        second = await open_card(
            client, kinds="only", kind=["groceries", "restaurants and cafés"], single_use="yes"
        )
        assert second.headers["location"].endswith("?done=opened")
        assert (await client.get("/cards")).text.count("Streaming") == 2
    first, other = await product.rows(CARDS)
    assert (first["daily_limit_minor"], first["purchase_limit_minor"]) == (5_000, 2_000)
    assert first["lock_to_first_merchant"]
    allowed = GROUPS[CategoryGroup.GROCERIES] | GROUPS[CategoryGroup.RESTAURANTS]
    assert other["allowed_categories"] == sorted(allowed)
    assert other["single_use"]
    issued = await product.call("GET", f"/v1/issuing/cards/{first['stripe_card_id']}")
    limits = {
        one["interval"]: one["amount"] for one in issued["spending_controls"]["spending_limits"]
    }
    assert limits == {"daily": 5_000, "monthly": 20_000, "per_authorization": 2_000}


@pytest.mark.parametrize(
    ("field", "typed", "wanted"),
    [
        ("nickname", "", "1 to 40 characters"),
        ("nickname", "x" * 41, "1 to 40 characters"),
        ("daily", "much", "an amount like"),
        ("daily", "0", "above 0.00"),
        ("daily", "300", "not above that of a month"),
        ("monthly", "999999", "A limit is from 0.00 to"),
        ("purchase", "-1", "an amount like"),
        ("kinds", "only", "Tick the kinds"),
        ("countries", "US, Atlantis", "We know no country “Atlantis”"),
        ("until", "soon", "Write a date like"),
        ("until", "2020-01-31", "Choose today or a later day"),
        ("until", "9999-12-31", "Choose today or a later day"),
    ],
)
async def test_a_wrong_field_is_told_at_its_place(
    product: Product, field: str, typed: str, wanted: str
) -> None:
    ada = await holder(product, cards=0)
    async with entered(product, ada.customer) as client:
        answer = await open_card(client, **{field: typed})
    assert answer.status_code == 422
    place = re.search(rf'id="{field}-wanted">([^<]+)<', answer.text)
    assert place
    assert wanted in place[1]
    assert answer.text.count('class="wanted"') == 1
    assert 'value="20"' in answer.text or field == "purchase"
    assert await product.rows(CARDS) == []


async def test_sent_twice_at_once_it_opens_one(product: Product) -> None:
    ada = await holder(product, cards=0)
    async with entered(product, ada.customer) as client:
        page = await client.get("/cards/new")
        fields = NEW | {name: hidden_on(page, name) for name in ("form_token", "once")}
        answers = await asyncio.gather(*(client.post("/cards/new", data=fields) for _ in range(3)))
        opened = {answer.headers["location"].partition("?")[0] for answer in answers}
        assert len(opened) == 1
    assert len(await product.rows(CARDS)) == 1
    assert len((await product.call("GET", "/v1/issuing/cards"))["data"]) == 1


async def test_when_stripe_is_silent_the_form_is_kept_and_works_later(product: Product) -> None:
    ada = await holder(product, cards=0)
    async with entered(product, ada.customer) as client:
        page = await client.get("/cards/new")
        fields = NEW | {name: hidden_on(page, name) for name in ("form_token", "once")}
        await arm(product, "status", "/v1/issuing/cards", status=429, times=None)
        silent = await client.post("/cards/new", data=fields)
        assert silent.status_code == 503
        assert "does not answer" in silent.text
        assert hidden_on(silent, "once") == fields["once"]
        await product.stripe.delete("/_sandbox/faults")
        assert (await client.post("/cards/new", data=fields)).status_code == 303


async def test_so_many_cards_a_day_and_no_more(product: Product) -> None:
    ada = await holder(product, cards=0)
    async with entered(product, ada.customer) as client:
        await product.as_owner(
            "INSERT INTO attempt (id, kind, subject, address) SELECT gen_random_uuid(),"
            " 'open_card', (SELECT id FROM customer), '127.0.0.1' FROM generate_series(1, 11)"
        )
        assert (await open_card(client)).status_code == 303
        late = await open_card(client)
        assert late.status_code == 429
        assert "hours" in late.text


async def test_hostile_names_are_only_text(product: Product) -> None:
    ada = await holder(product)
    await pay(product, ada.card, 500, HOSTILE)
    async with entered(product, ada.customer) as client:
        await act(client, f"/cards/{ada.card.id}/rename", nickname=HOSTILE)
        for path in ("/cards", f"/cards/{ada.card.id}", f"/cards/{ada.card.id}/close"):
            page = await client.get(path)
            assert HOSTILE not in page.text, path
            assert html.escape(HOSTILE) in page.text


@pytest.mark.parametrize(
    ("requirements", "told"),
    [
        ({"disabled_reason": "under_review", "past_due": []}, "is looking at your details"),
        (
            {
                "disabled_reason": "requirements.past_due",
                "past_due": ["individual.verification.document"],
            },
            "a photo of your passport",
        ),
        ({"disabled_reason": "rejected.listed", "past_due": []}, "does not let us open cards"),
    ],
)
async def test_the_last_step_says_how_far_the_issuer_is(
    product: Product, requirements: dict[str, object], told: str
) -> None:
    ada = await holder(product, cards=0)
    assert product.sandbox is not None
    world = product.sandbox.world
    async with entered(product, ada.customer) as client:
        assert "Your first virtual card" in (await client.get("/onboarding")).text
        cardholder = world.get("issuing.cardholder", ada.customer.stripe_cardholder_id or "")
        world.save(cardholder | {"requirements": requirements})
        page = await client.get("/onboarding")
        assert told in page.text
        assert "Open the card" not in page.text
        world.save(cardholder | {"requirements": {"disabled_reason": None, "past_due": []}})
        assert "Open the card" in (await client.get("/onboarding")).text
