"""Somebody types a card's number where none belongs: it is refused or masked, and nowhere kept."""

import httpx
import pytest

from app.card_numbers import holds_card_number, without_card_numbers
from app.domain.identity.states import Role
from tests.back_office import csrf_token_on, signed_in
from tests.browser.test_portal_journey import all_rows
from tests.card_data import card_data_in
from tests.portal import IDENTITY, browser, customer, form_token_on, send, sign_in, signed_up
from tests.product import Product
from tests.situations import holder

NUMBER = "4242 4242 4242 4242"
PLAIN = NUMBER.replace(" ", "")
AGENT = {"User-Agent": f"Mozilla {NUMBER}", "X-Card": PLAIN, "Referer": f"http://x/?n={PLAIN}"}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"it is {NUMBER}, thanks", "it is •••• 4242, thanks"),
        ("5555-5555-5555-4444", "•••• 4444"),
        ("/cards/378282246310005", "/cards/•••• 0005"),
        ("search=4000+0566%205566+5556&sort=asc", "search=•••• 5556&sort=asc"),
        ("4242424242424241", "4242424242424241"),
        ("01a22a8e-6fbf-77ae-8359-05a15b266027", "01a22a8e-6fbf-77ae-8359-05a15b266027"),
        ("+14155550142", "+14155550142"),
        ("iauth_4242424242424242", "iauth_4242424242424242"),
        ("0000000000000000", "0000000000000000"),
    ],
)
def test_numbers_are_told_from_other_digits(text: str, masked: str) -> None:
    assert without_card_numbers(text) == masked
    assert holds_card_number(text) is (text != masked)


async def test_a_number_typed_anywhere_is_kept_nowhere(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    async with browser(product, **AGENT) as stranger:
        await stranger.get(f"/cards/{PLAIN}", params={"q": NUMBER})
        await sign_in(stranger, PLAIN, PLAIN)
        await sign_in(stranger, f"{PLAIN}@example.com", PLAIN)
        for path in ("/sign-up", "/forgot"):
            form = {"email": f"{PLAIN}@example.com", "password": f"{NUMBER} and more"}
            await send(stranger, path, form)
        login = {"email": PLAIN, "password": PLAIN}
        await stranger.post("/admin/login", data=login)
    async with signed_up(product) as client:
        client.headers.update(AGENT)
        told = IDENTITY | {"first_name": NUMBER, "address_line1": NUMBER, "city": PLAIN}
        page = await send(client, "/onboarding/identity", told, opened="/onboarding")
        assert "This looks like a card&#39;s number" in page.text
    async with browser(product, **AGENT) as client:
        assert (await sign_in(client)).status_code == 303
    async with customer(product, "grace@example.com") as client:
        client.headers.update(AGENT)
        await as_customer(product, client)
    await as_staff(product)
    kept, logged = await all_rows(product), capsys.readouterr().out
    assert logged.count('"event":"request"') > 20
    assert card_data_in(kept) == set()
    assert card_data_in(logged.splitlines()) == set()
    assert not [row for row in (*kept, logged) if PLAIN in row or NUMBER in row]


async def as_customer(product: Product, client: httpx.AsyncClient) -> None:
    token = form_token_on(await client.get("/settings"))
    for path, form in (
        ("/settings/email", {"email": f"{PLAIN}@example.com"}),
        ("/cards/new", {"nickname": NUMBER, "daily": PLAIN, "monthly": NUMBER}),
        (f"/cards/{PLAIN}/rename", {"nickname": NUMBER}),
        ("/settings/letters", {PLAIN: NUMBER}),
    ):
        answer = await client.post(path, data={"form_token": token, "once": "1", **form})
        assert answer.status_code < 500, path
    for path in ("/purchases", "/purchases.csv"):
        assert (await client.get(path, params={"q": NUMBER})).status_code == 200


async def as_staff(product: Product) -> None:
    ada = await holder(product)
    async with signed_in(product, Role.OWNER) as client:
        client.headers.update(AGENT)
        token = {"csrf_token": csrf_token_on(await client.get("/admin/account"))}
        for path in ("search?q=", "customers/list?search=", "cards/export?search="):
            assert (await client.get(f"/admin/{path}{NUMBER}")).status_code < 500, path
        note = await client.post(
            f"/admin/customer/{ada.customer.id}/note",
            data=token | {"text": f"reads {NUMBER} to me"},
        )
        assert note.status_code == 303, note.text
        freeze = f"/admin/act/freeze-card/{ada.card.id}"
        form = token | {"note": NUMBER, "reason": "fraud_suspected", "sure": "yes"}
        assert (await client.post(freeze, data=form)).status_code < 500
        await client.get(f"/admin/{PLAIN}")
    async with signed_in(product, Role.SUPPORT) as support:
        assert (await support.get(f"/admin/member/{PLAIN}")).status_code in {403, 404}
