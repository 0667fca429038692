"""What every call has in common: keys, addresses, parameters, pages, expansion, settings."""

from typing import Any

import httpx
import pytest
import stripe

from tests.sandbox.people import card, cardholder, pay
from tests.sandbox.serving import REAL_TIME_SECRET, Running

CARDS = "/v1/issuing/cards"
PURCHASES = "/v1/test_helpers/issuing/authorizations"
KEY = {"Authorization": "Bearer sk_test_1"}


async def post(sandbox: Running, path: str, form: dict[str, str]) -> dict[str, Any]:
    """Post a form that is refused, and give the error."""
    response = await sandbox.control.post(path, data=form, headers=KEY)
    assert response.status_code == 400, response.text
    error: dict[str, Any] = response.json()["error"]
    return error


@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({}, "You did not provide an API key"),
        ({"Authorization": "Bearer sk_live_abc"}, "Invalid API Key provided: sk_live_****"),
        ({"Authorization": "Bearer pk_test_abc"}, "Invalid API Key provided: pk_test_****"),
        ({"Authorization": "Basic !"}, "You did not provide an API key"),
    ],
    ids=["none", "live", "publishable", "garbled"],
)
async def test_only_test_keys_are_taken(
    sandbox: Running, headers: dict[str, str], says: str
) -> None:
    answer = await sandbox.control.get(CARDS, headers=headers)

    assert answer.status_code == 401
    assert says in answer.json()["error"]["message"]


async def test_a_key_may_come_by_basic_and_every_answer_names_its_request(
    sandbox: Running,
) -> None:
    answer = await sandbox.control.get(
        CARDS, auth=("sk_test_x", ""), headers={"Stripe-Version": "2026-05-27.dahlia"}
    )

    assert answer.status_code == 200
    assert answer.headers["request-id"].startswith("req_")
    assert answer.headers["stripe-version"] == "2026-05-27.dahlia"


async def test_an_unknown_address_is_named(sandbox: Running) -> None:
    answer = await sandbox.control.get("/v1/nonsense", headers=KEY)

    assert answer.status_code == 404
    assert "Unrecognized request URL (GET: /v1/nonsense)" in answer.json()["error"]["message"]


async def test_an_unknown_id_is_missing_in_the_path_and_wrong_as_a_parameter(
    sandbox: Running,
) -> None:
    with pytest.raises(stripe.InvalidRequestError) as in_path:
        await sandbox.stripe.v1.issuing.cards.retrieve_async("ic_nope")
    error = await post(sandbox, PURCHASES, {"card": "ic_nope", "amount": "1"})

    assert (in_path.value.http_status, in_path.value.code) == (404, "resource_missing")
    assert error["message"] == "No such issuing card: 'ic_nope'"
    assert (error["code"], error["param"]) == ("resource_missing", "card")
    assert error["doc_url"].endswith("resource-missing")
    assert error["request_log_url"].startswith("https://dashboard.stripe.com/test/logs/req_")


@pytest.mark.parametrize(
    ("path", "form", "message", "code", "param"),
    [
        (CARDS, {"x": "1"}, "Received unknown parameter: x", "parameter_unknown", "x"),
        (
            CARDS,
            {"currency": "usd", "type": "virtual", "pin[number]": "1"},
            "Received unknown parameter: pin[number]",
            "parameter_unknown",
            "pin[number]",
        ),
        (
            CARDS,
            {"currency": "usd"},
            "Missing required param: type.",
            "parameter_missing",
            "type",
        ),
        (
            "/v1/issuing/cardholders",
            {"name": "Ada", "billing[address][city]": "SF"},
            "Missing required param: billing[address][country].",
            "parameter_missing",
            "billing[address][country]",
        ),
        (
            PURCHASES,
            {"card": "ic_1", "amount": "1.5"},
            "Invalid integer: 1.5",
            "parameter_invalid_integer",
            "amount",
        ),
        (
            PURCHASES,
            {"card": "ic_1", "amount": ""},
            "You passed an empty string for 'amount'",
            "parameter_invalid_empty",
            "amount",
        ),
        (
            PURCHASES,
            {"card": "ic_1", "is_amount_controllable": "yes"},
            "Invalid boolean: yes",
            None,
            "is_amount_controllable",
        ),
        (
            CARDS,
            {"currency": "usd", "type": "paper"},
            "Invalid type: must be one of physical or virtual",
            None,
            "type",
        ),
        (CARDS, {"currency[a]": "usd", "type": "virtual"}, "Invalid string", None, "currency"),
        (CARDS, {"currency": "usd", "pin": "1", "type": "virtual"}, "Invalid object", None, "pin"),
        (
            CARDS,
            {
                "currency": "usd",
                "type": "virtual",
                "spending_controls[spending_limits][0][amount]": "many",
                "spending_controls[spending_limits][0][interval]": "daily",
            },
            "Invalid integer: many",
            "parameter_invalid_integer",
            "spending_controls[spending_limits][0][amount]",
        ),
        (
            CARDS,
            {"currency": "usd", "type": "virtual", f"metadata[{'k' * 41}]": "v"},
            "Metadata keys can have up to 40 characters",
            None,
            f"metadata[{'k' * 41}]",
        ),
    ],
    ids=[
        "unknown",
        "unknown within",
        "missing",
        "missing within",
        "integer",
        "empty",
        "boolean",
        "enum",
        "hash for string",
        "string for hash",
        "in a list",
        "metadata",
    ],
)
async def test_wrong_parameters_get_stripe_s_own_errors(
    sandbox: Running,
    *,
    path: str,
    form: dict[str, str],
    message: str,
    code: str | None,
    param: str,
) -> None:
    error = await post(sandbox, path, form)

    assert error["message"].startswith(message)
    assert error["type"] == "invalid_request_error"
    assert (error.get("code"), error["param"]) == (code, param)


async def test_an_unknown_category_is_answered_with_all_that_there_are(sandbox: Running) -> None:
    plastic = await card(sandbox)

    with pytest.raises(stripe.InvalidRequestError) as refused:
        await pay(sandbox, plastic, merchant_data={"category": "hotels_motels_resorts"})

    assert refused.value.param == "merchant_data[category]"
    assert refused.value.code is None
    assert "hotels_motels_and_resorts" in str(refused.value)


async def test_a_removed_parameter_is_said_to_be_gone(sandbox: Running) -> None:
    form = {"amount": "100", "currency": "usd", "payment_method_types[0]": "card"}

    error = await post(sandbox, "/v1/payment_intents", form)

    assert error["code"] == "payment_method_types_no_longer_supported"


async def test_metadata_is_merged_key_by_key(sandbox: Running) -> None:
    made = await cardholder(sandbox, metadata={"a": "1", "b": "2"})
    cardholders = sandbox.stripe.v1.issuing.cardholders

    merged = await cardholders.update_async(made.id, {"metadata": {"b": "", "c": "3"}})

    assert merged.metadata.to_dict() == {"a": "1", "c": "3"}


async def test_settings_are_changed_one_by_one_and_the_secret_stays_hidden(
    sandbox: Running,
) -> None:
    await sandbox.set(
        authorization_webhook_url="http://127.0.0.1:1/",
        authorization_webhook_secret=REAL_TIME_SECRET,
    )
    shown = await sandbox.set(authorization_timeout="approve")

    assert shown["authorization_webhook_secret"] == "whsec_rea****"
    assert shown["authorization_timeout"] == "approve"
    assert shown["authorization_webhook_url"] == "http://127.0.0.1:1/"


@pytest.mark.parametrize(
    "wrong",
    [
        {"latency_ms": -1},
        {"authorization_timeout": "maybe"},
        {"nonsense": 1},
        {"authorization_webhook_url": "ftp://x", "authorization_webhook_secret": "whsec_a"},
        {"authorization_webhook_url": "http://127.0.0.1/"},
    ],
    ids=["latency", "default", "unknown", "address", "no secret"],
)
async def test_settings_that_make_no_sense_are_refused(
    sandbox: Running, wrong: dict[str, Any]
) -> None:
    answer = await sandbox.control.post("/_sandbox/settings", json=wrong)

    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("seconds", [-1, "5", 1.5, True, None])
async def test_the_clock_moves_forward_by_whole_seconds(sandbox: Running, seconds: Any) -> None:
    answer = await sandbox.control.post("/_sandbox/clock", json={"advance_seconds": seconds})

    assert answer.status_code == 400


async def test_a_body_that_is_no_form_is_refused(sandbox: Running) -> None:
    async with httpx.AsyncClient(base_url=sandbox.url, headers=KEY) as client:
        garbled = await client.post(CARDS, content=b"a=%ff")
        huge = await client.post(CARDS, content=b"a=" + b"x" * 1_100_000)

    assert (garbled.status_code, huge.status_code) == (400, 413)
