"""Nobody reaches what is another customer's, by any address, and no session is got by a trick."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from app.domain.identity.passwords import hash_password
from app.portal.routes import PAGES
from tests.factories import CredentialFactory
from tests.integration.test_portal_guard import crawl
from tests.integration.test_portal_paying import ASKS, begin
from tests.portal import COOKIE, PASSWORD, browser, form_token_on, send, sign_in
from tests.product import Product
from tests.situations import Holder, behave, force_capture, helper, holder, pay

THEIRS = (
    *("card", "funding_source", "card_authorization", "allowance", "customer_session"),
    *("credential", "second_step", "card_linking", "charge"),
)


async def armed(product: Product, email: str, merchant: str) -> Holder:
    """Make a customer who has one of everything, and can sign in."""
    who = await holder(product, email=email, allowed_categories=["fast_food_restaurants"])
    bought = await pay(product, who.card, 1_000, merchant)
    await helper(product, bought["id"], "capture")
    refused = {"merchant_data[category]": "book_stores"}
    await pay(product, who.card, 2_000, f"{merchant} Books", **refused)
    await product.settled()
    kept = await hash_password(PASSWORD)
    async with product.parts.sessions.begin() as session:
        session.add(
            CredentialFactory.build(email=email, password_hash=kept, customer_id=who.customer.id)
        )
    return who


@asynccontextmanager
async def entered(product: Product, email: str) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(product) as client:
        assert (await sign_in(client, email)).status_code == 303
        yield client


async def payment_of(product: Product, client: httpx.AsyncClient, who: Holder) -> dict[str, str]:
    """Have a customer owe something, and begin to pay it."""
    await behave(product, who.sources[0].stripe_payment_method_id, ASKS)
    await force_capture(product, who.card, 3_000)
    await product.settled()
    [debt] = await product.rows("SELECT id FROM receivable WHERE state = 'open'")
    begun = await begin(client, f"/funding/pay/{debt['id']}", who.sources[0].id)
    return {"debt_id": str(debt["id"]), "payment_id": begun.rpartition("/")[2]}


async def ids_of(product: Product, who: Holder) -> dict[str, str]:
    [purchase] = await product.rows(
        "SELECT id FROM card_authorization WHERE customer_id = :it AND NOT approved",
        it=who.customer.id,
    )
    [begun] = await product.rows(
        "SELECT s.id FROM customer_session s JOIN credential c ON c.id = s.credential_id"
        " WHERE c.customer_id = :it LIMIT 1",
        it=who.customer.id,
    )
    return {
        "purchase_id": str(purchase["id"]),
        "card_id": str(who.card.id),
        "source_id": str(who.sources[0].id),
        "session_id": str(begun["id"]),
        "linking_id": "0193b1f0-0000-7000-8000-000000000000",
    }


async def everything_of(product: Product, who: Holder) -> str:
    """Give all rows of a customer as text, to be compared."""
    told = []
    for table in THEIRS:
        rows = await product.rows(f"SELECT * FROM {table} ORDER BY id")  # noqa: S608  words of ours
        told += [str(row) for row in rows if str(who.customer.id) in str(row)]
    return "\n".join(told)


async def test_every_address_with_anothers_id_finds_nothing_and_changes_nothing(
    product: Product,
) -> None:
    await armed(product, "ada@example.com", "Zuni")
    grace = await armed(product, "grace@example.com", "Tatte")
    async with (
        entered(product, "ada@example.com") as client,
        entered(product, "grace@example.com") as other,
    ):
        theirs = await payment_of(product, other, grace) | await ids_of(product, grace)
        before = await everything_of(product, grace)
        token = form_token_on(await client.get("/settings"))
        for method, path in addressed():
            asked = re.sub(r"\{(\w+):uuid\}", lambda found: theirs[found[1]], path)
            fields = {
                "form_token": token,
                "limit": "10",
                "nickname": "mine",
                "nonce": "ekn_1",
                "way": "first",
                "source": theirs["source_id"],
            }
            data = fields if method == "POST" else None
            page = await client.request(method, asked, data=data)
            assert page.status_code == 404, (method, asked, page.status_code)
        new = {"nickname": "Mine", "daily": "10", "monthly": "100", "lock": "any", "kinds": "any"}
        charged = {"once": "1", "pays": theirs["source_id"]}
        charged_to_her = await send(client, "/cards/new", new | charged)
        assert charged_to_her.status_code == 422
        assert await everything_of(product, grace) == before
        assert (await other.get("/settings")).status_code == 200


def addressed() -> list[tuple[str, str]]:
    """Give every page and form that names something by its id."""
    return sorted(
        (method, path)
        for page in PAGES
        for path in page.paths  # type: ignore[union-attr]  # all are handlers
        for method in page.http_methods - {"HEAD", "OPTIONS"}  # type: ignore[union-attr]
        if ":uuid}" in path and page.fn.__name__ != "back_to_the_page"  # type: ignore[union-attr]
    )


async def test_fields_that_a_form_does_not_have_change_nothing(product: Product) -> None:
    ada = await armed(product, "ada@example.com", "Zuni")
    more = {
        "state": "closed",
        "id": str(ada.customer.id),
        "customer_id": str(ada.sources[0].id),
        "stripe_card_id": "ic_another",
        "last4": "0000",
        "exposure_limit_minor": "99999999",
        "daily_limit_minor": "99999999",
        "email": "eve@example.com",
        "email_verified_at": "2026-01-01",
    }
    async with entered(product, "ada@example.com") as client:
        before = await everything_of(product, ada)
        page = f"/cards/{ada.card.id}"
        named = await send(client, f"{page}/rename", {"nickname": "Mine", **more}, opened=page)
        assert named.status_code == 303
        kept = await send(client, "/settings/letters", more, opened="/settings")
        assert kept.status_code == 303
    after = (await everything_of(product, ada)).replace("'Mine'", "'Card 1'")
    letters = r"'mail_off': \[[^\]]*\]"
    assert re.sub(letters, "", after) == re.sub(letters, "", before)
    [person] = await product.rows("SELECT email, exposure_limit_minor FROM customer")
    assert (person["email"], person["exposure_limit_minor"]) != ("eve@example.com", 99_999_999)


async def test_no_page_of_one_customer_tells_of_another(product: Product) -> None:
    ada = await armed(product, "ada@example.com", "Zuni")
    grace = await armed(product, "grace@example.com", "Tatte")
    for who, other, merchant, foreign in (
        (ada, grace, "Zuni", "Tatte"),
        (grace, ada, "Tatte", "Zuni"),
    ):
        async with entered(product, who.customer.email) as client:
            pages = [*await crawl(client), await client.get("/purchases.csv")]
            pages.append(await client.get("/live/newest"))
        found = "\n".join(page.text for page in pages)
        assert merchant in found
        marks = (other.customer.email, foreign, other.customer.id, other.card.id, other.card.last4)
        assert not [mark for mark in marks if re.search(rf"\b{re.escape(str(mark))}\b", found)]


async def test_what_was_overheard_is_worth_nothing_after_sign_out_or_the_password_again(
    product: Product,
) -> None:
    await armed(product, "ada@example.com", "Zuni")
    async with entered(product, "ada@example.com") as client:
        first = client.cookies[COOKIE]
        page = await client.get("/settings")
        fields = {"form_token": form_token_on(page), "purchase_approved": "yes"}
        again = await send(client, "/password-again", {"password": PASSWORD, "next": "/settings"})
        assert again.status_code == 303
        second = client.cookies[COOKIE]
        await send(client, "/sign-out", {}, opened="/settings")
    for token in (first, second):
        async with browser(product) as thief:
            thief.cookies.set(COOKIE, token)
            for path in ("/dashboard", "/settings", "/purchases", "/live", "/cards", "/funding"):
                assert (await thief.get(path)).headers["location"].startswith("/sign-in"), path
            replayed = await thief.post("/settings/letters", data=fields)
            assert replayed.status_code in {303, 403}
    [kept] = await product.rows("SELECT mail_off FROM credential")
    assert kept["mail_off"] == []
