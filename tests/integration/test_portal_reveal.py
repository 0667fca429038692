"""Showing a card's number: the password again, the customer's own card, a limit, and a letter."""

import httpx

from tests.portal import entered, form_token_on, letters
from tests.product import Product
from tests.situations import holder

SHOWN = "SELECT * FROM audit_entry WHERE action = 'card.show'"


async def nonce_for(product: Product, stripe_card_id: str) -> str:
    """Make the secret that only one browser has, as Stripe's script does."""
    response = await product.stripe.post(
        "/_sandbox/stripe_js/nonces",
        json={"key": "pk_test_product", "issuing_card": stripe_card_id},
    )
    nonce: str = response.json()["nonce"]
    return nonce


async def reveal(client: httpx.AsyncClient, card_id: object, nonce: str) -> httpx.Response:
    token = form_token_on(await client.get("/settings"))
    return await client.post(f"/cards/{card_id}/reveal", data={"form_token": token, "nonce": nonce})


async def test_the_key_opens_the_card_and_it_is_told_by_mail(product: Product) -> None:
    ada = await holder(product)
    async with entered(product, ada.customer) as client:
        nonce = await nonce_for(product, ada.card.stripe_card_id)
        told = await reveal(client, ada.card.id, nonce)
        assert told.status_code == 200
        assert told.headers["cache-control"] == "no-store"
        assert list(told.json()) == ["secret"]
        page = await client.get(f"/cards/{ada.card.id}")
        assert "Shown 1 time so far" in page.text
        spent = await reveal(client, ada.card.id, nonce)
        assert spent.status_code == 409
    opened = {
        "key": "pk_test_product",
        "field": "number",
        "issuing_card": ada.card.stripe_card_id,
        "nonce": nonce,
        "ephemeral_key_secret": told.json()["secret"],
    }
    field = await product.stripe.post("/_sandbox/stripe_js/issuing_card_field", json=opened)
    assert field.json()["value"].endswith(ada.card.last4)
    assert len(await product.rows(SHOWN)) == 2
    first, _ = await letters(product, "card_shown", at_least=2)
    assert f"ending in {ada.card.last4}" in first["text"]
    assert f"{{site}}/cards/{ada.card.id}" in first["text"]


async def test_it_wants_the_password_of_just_now(product: Product) -> None:
    ada = await holder(product)
    async with entered(product, ada.customer) as client:
        await product.as_owner(
            "UPDATE customer_session SET password_at = now() - interval '6 minutes'"
        )
        page = await client.get(f"/cards/{ada.card.id}")
        again = f"/password-again?next=/cards/{ada.card.id}%3Freveal=1"
        assert again in page.text
        nonce = await nonce_for(product, ada.card.stripe_card_id)
        refused = await reveal(client, ada.card.id, nonce)
        assert (refused.status_code, refused.json()) == (403, {"password": again})
        asked = await client.get(again)
        assert f'value="/cards/{ada.card.id}?reveal=1"' in asked.text
    assert await product.rows(SHOWN) == []


async def test_another_customers_card_and_a_closed_one_are_not_shown(product: Product) -> None:
    ada = await holder(product)
    eve = await holder(product, email="eve@example.com")
    nonce = await nonce_for(product, ada.card.stripe_card_id)
    async with entered(product, eve.customer) as client:
        assert (await reveal(client, ada.card.id, nonce)).status_code == 404
        theirs = await reveal(client, eve.card.id, nonce)
        assert theirs.status_code == 409
        assert "secret" not in theirs.json()
        assert (await reveal(client, eve.card.id, "no nonce")).status_code == 409
    async with entered(product, ada.customer) as client:
        await product.as_owner("UPDATE card SET state = 'closed'")
        closed = await reveal(client, ada.card.id, nonce)
        assert "worth nothing any more" in closed.json()["problem"]


async def test_so_many_times_an_hour_and_no_more(product: Product) -> None:
    ada = await holder(product)
    async with entered(product, ada.customer) as client:
        for _ in range(6):
            nonce = await nonce_for(product, ada.card.stripe_card_id)
            assert (await reveal(client, ada.card.id, nonce)).status_code == 200
        late = await reveal(client, ada.card.id, nonce)
        assert late.status_code == 429
        assert "minutes" in late.json()["problem"]
