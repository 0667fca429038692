"""Ephemeral keys: made of a nonce, good for one card and a quarter of an hour."""

from typing import Any

import pytest
import stripe

from stripe_sandbox.issuing.card_numbers import card_secrets
from stripe_sandbox.stripe_js.ephemeral_keys import KEY, NONCE
from tests.sandbox.people import ADDRESS, card
from tests.sandbox.serving import Running
from tests.sandbox.test_stripe_js import asked, refused

KEYS = "/v1/ephemeral_keys"
QUARTER = 15 * 60


async def nonce_of(sandbox: Running, card_id: str) -> str:
    nonce: str = (await asked(sandbox, "nonces", issuing_card=card_id))["nonce"]
    assert nonce.startswith("ephkn_priv_")
    return nonce


async def opened(sandbox: Running, card_id: str) -> dict[str, Any]:
    """What a browser needs to show a card, once its server has exchanged the nonce."""
    nonce = await nonce_of(sandbox, card_id)
    key = await sandbox.stripe.v1.ephemeral_keys.create_async(
        {"issuing_card": card_id, "nonce": nonce}
    )
    assert key.secret is not None
    return {"issuing_card": card_id, "nonce": nonce, "ephemeral_key_secret": key.secret}


async def refusal(sandbox: Running, **params: Any) -> stripe.InvalidRequestError:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await sandbox.stripe.v1.ephemeral_keys.create_async(params)  # type: ignore[arg-type]  # any
    return refused.value


async def test_a_key_lives_a_quarter_of_an_hour(sandbox: Running) -> None:
    issued = await card(sandbox)
    key = await sandbox.stripe.v1.ephemeral_keys.create_async(
        {"issuing_card": issued.id, "nonce": await nonce_of(sandbox, issued.id)}
    )

    assert key.id.startswith("ephkey_")
    assert key.secret is not None
    assert key.secret.startswith("ek_test_")
    assert (key.expires - key.created, key.livemode) == (QUARTER, False)


async def test_the_fields_of_a_card_are_shown_to_its_key(sandbox: Running) -> None:
    issued = await card(sandbox)
    key = await opened(sandbox, issued.id)

    shown = {
        field: (await asked(sandbox, "issuing_card_field", field=field, **key))["value"]
        for field in ("number", "cvc", "expiry")
    }
    expiry = f"{issued.exp_month:02}/{issued.exp_year % 100:02}"
    assert shown == {**card_secrets(issued.id), "expiry": expiry}
    assert (
        "one of number, cvc"
        in (await refused(sandbox, "issuing_card_field", field="pin", **key))["message"]
    )
    told = await asked(sandbox, "issuing_card", **key)
    assert (told["last4"], told["cardholder"]["name"]) == (issued.last4, "Ada Lovelace")
    assert card_secrets(issued.id)["number"] not in str(told)


async def test_no_answer_to_a_secret_key_has_the_number(sandbox: Running) -> None:
    issued = await card(sandbox)
    number = card_secrets(issued.id)["number"]
    nonce = await nonce_of(sandbox, issued.id)
    headers = {"Authorization": "Bearer sk_test_1", "Stripe-Version": "2026-10-28.endive"}
    form = {"issuing_card": issued.id, "nonce": nonce}
    answers = [
        await sandbox.control.post(KEYS, data=form, headers=headers),
        await sandbox.control.get("/v1/issuing/cards", headers=headers),
        await sandbox.control.get(f"/v1/issuing/cards/{issued.id}", headers=headers),
        await sandbox.control.get("/v1/events", headers=headers),
    ]

    assert [answer.status_code for answer in answers] == [200] * 4
    assert all(number not in answer.text for answer in answers)


async def test_a_nonce_is_for_one_card_and_one_key(sandbox: Running) -> None:
    first, second = await card(sandbox), await card(sandbox)
    nonce = await nonce_of(sandbox, first.id)

    foreign = await refusal(sandbox, issuing_card=second.id, nonce=nonce)
    await sandbox.stripe.v1.ephemeral_keys.create_async({"issuing_card": first.id, "nonce": nonce})
    used = await refusal(sandbox, issuing_card=first.id, nonce=nonce)
    unknown = await refusal(sandbox, issuing_card=first.id, nonce="ephkn_priv_1")
    late = await nonce_of(sandbox, first.id)
    await sandbox.advance(seconds=QUARTER)
    expired = await refusal(sandbox, issuing_card=first.id, nonce=late)

    assert "created for another issuing card" in str(foreign)
    assert "already been used" in str(used)
    assert "No such ephemeral key nonce" in str(unknown)
    assert "No such ephemeral key nonce" in str(expired)
    assert {one.param for one in (foreign, used, unknown, expired)} == {"nonce"}


@pytest.mark.parametrize(
    ("version", "says"),
    [
        (None, "You must specify an API version"),
        ("2019-12-03", "needs API version 2020-03-02 or later"),
        ("latest", "Invalid Stripe API version: latest"),
    ],
)
async def test_the_version_has_to_be_named(
    sandbox: Running, version: str | None, says: str
) -> None:
    issued = await card(sandbox)
    form = {"issuing_card": issued.id, "nonce": await nonce_of(sandbox, issued.id)}
    headers = {"Authorization": "Bearer sk_test_1"} | (
        {"Stripe-Version": version} if version else {}
    )
    answer = await sandbox.control.post(KEYS, data=form, headers=headers)

    assert answer.status_code == 400
    assert says in answer.json()["error"]["message"]
    headers["Stripe-Version"] = "2020-03-02"
    assert (await sandbox.control.post(KEYS, data=form, headers=headers)).status_code == 200


async def test_what_a_key_is_for_has_to_be_named(sandbox: Running) -> None:
    issued = await card(sandbox)

    assert (await refusal(sandbox, nonce="ephkn_priv_1")).param == "issuing_card"
    assert (await refusal(sandbox, issuing_card=issued.id)).param == "nonce"
    assert (await refusal(sandbox, issuing_card="ic_1", nonce="x")).code == "resource_missing"
    assert "does not simulate" in str(await refusal(sandbox, customer="cus_1"))
    assert (await refused(sandbox, "nonces", issuing_card="ic_1"))["code"] == "resource_missing"


async def test_a_key_opens_its_own_card_with_its_own_nonce(sandbox: Running) -> None:
    first, second = await card(sandbox), await card(sandbox)
    key = await opened(sandbox, first.id)
    wrong = [
        ({"issuing_card": second.id}, 403, "does not have access"),
        ({"nonce": await nonce_of(sandbox, first.id)}, 403, "not the one"),
        ({"ephemeral_key_secret": "ek_test_1"}, 401, "Invalid API Key provided: ek_test_****"),
        ({"ephemeral_key_secret": "sk_test_1"}, 401, "Invalid API Key provided"),
    ]
    for change, status, says in wrong:
        for name in ("issuing_card", "issuing_card_field"):
            error = await refused(sandbox, name, status, field="number", **(key | change))
            assert says in error["message"]


async def test_a_key_ends_by_itself_or_before(sandbox: Running) -> None:
    issued = await card(sandbox)
    key = await opened(sandbox, issued.id)
    nonce = await nonce_of(sandbox, issued.id)
    ended = await sandbox.stripe.v1.ephemeral_keys.create_async(
        {"issuing_card": issued.id, "nonce": nonce}
    )
    assert ended.secret is not None

    gone = await sandbox.stripe.v1.ephemeral_keys.delete_async(ended.id)
    assert (gone.id, "secret" in gone) == (ended.id, False)
    with pytest.raises(stripe.InvalidRequestError) as again:
        await sandbox.stripe.v1.ephemeral_keys.delete_async(ended.id)
    assert again.value.code == "resource_missing"
    deleted = {**key, "nonce": nonce, "ephemeral_key_secret": ended.secret}
    await refused(sandbox, "issuing_card_field", 401, field="cvc", **deleted)

    sandbox.app.world.clock.advance(QUARTER)
    error = await refused(sandbox, "issuing_card_field", 401, field="cvc", **key)
    assert error["code"] == "api_key_expired"
    await sandbox.advance(seconds=1)
    store = sandbox.app.world.store
    assert [*store.newest_first(KEY), *store.newest_first(NONCE)] == []


async def test_a_physical_card_shows_neither_number_nor_cvc(sandbox: Running) -> None:
    shipping = {"name": "Ada Lovelace", "address": ADDRESS}
    issued = await card(sandbox, type="physical", shipping=shipping)
    key = await opened(sandbox, issued.id)

    for field in ("number", "cvc"):
        error = await refused(sandbox, "issuing_card_field", field=field, **key)
        assert error["message"] == f"The {field} of a physical card cannot be retrieved."
    assert (await asked(sandbox, "issuing_card_field", field="expiry", **key))["value"]
