"""The sandbox's own pages: what they show, and whom they obey."""

from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
import pytest

from stripe_sandbox.asgi import Sandbox, create_sandbox
from stripe_sandbox.delivery import Outcome
from stripe_sandbox.events import make_event
from stripe_sandbox.issuing.merchant_categories import CODES
from stripe_sandbox.pages.presets import (
    ACTIONS,
    COMMON_CATEGORIES,
    EVENT_ACTIONS,
    FAULTS,
    PURCHASES,
)
from tests.conformance.recorder import Recorder

HELPER = "/v1/test_helpers/issuing/authorizations"
KEY = {"Authorization": "Bearer sk_test_pages"}
ADDRESS = {
    "billing[address][line1]": "1 Main St",
    "billing[address][city]": "San Francisco",
    "billing[address][state]": "CA",
    "billing[address][postal_code]": "94103",
    "billing[address][country]": "US",
}
TERMS = "individual[card_issuing][user_terms_acceptance]"
ADA = {
    "name": "Ada Lovelace",
    "type": "individual",
    "individual[first_name]": "Ada",
    "individual[last_name]": "Lovelace",
    "individual[dob][day]": "10",
    "individual[dob][month]": "12",
    "individual[dob][year]": "1985",
    f"{TERMS}[date]": "1760000000",
    f"{TERMS}[ip]": "127.0.0.1",
    **ADDRESS,
}


@pytest.fixture
def app(conformance: Recorder) -> Sandbox:
    return create_sandbox(record=conformance)


@pytest.fixture
async def client(app: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
        yield client


async def created(client: httpx.AsyncClient, path: str, form: dict[str, str]) -> dict[str, Any]:
    response = await client.post(path, data=form, headers=KEY)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def paid(client: httpx.AsyncClient) -> dict[str, Any]:
    """A purchase of 19.99 with a fresh card; nobody is asked, so it is approved."""
    ada = await created(client, "/v1/issuing/cardholders", ADA)
    # The cardholder's review ends in the loop's next turn.
    await anyio.lowlevel.checkpoint()
    card = await created(
        client,
        "/v1/issuing/cards",
        {"cardholder": ada["id"], "currency": "usd", "type": "virtual", "status": "active"},
    )
    return await created(
        client,
        HELPER,
        {
            "card": card["id"],
            "amount": "1999",
            "currency": "usd",
            "merchant_data[name]": "<script>Blue Bottle",
            "merchant_data[category]": "eating_places_restaurants",
        },
    )


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/_sandbox", "No card has been issued yet"),
        ("/_sandbox/", "No card has been used yet"),
        ("/_sandbox/pages/terminal", "<h1>Terminal</h1>"),
        ("/_sandbox/pages/deliveries", "Nothing has been sent yet"),
        ("/_sandbox/pages/faults", "No fault is armed"),
        ("/_sandbox/pages/clock", "The same as this machine"),
        ("/_sandbox/parts/head", "100,000.00 USD"),
        ("/_sandbox/parts/methods", "No card has been saved"),
    ],
)
async def test_a_fresh_sandbox_says_what_is_empty(
    client: httpx.AsyncClient, path: str, says: str
) -> None:
    response = await client.get(path)
    assert response.status_code == 200
    assert says in response.text
    assert "default-src 'none'" in response.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("page.css", "text/css"),
        ("page.js", "text/javascript"),
        ("requests.js", "text/javascript"),
        ("dom.js", "text/javascript"),
        ("faults.js", "text/javascript"),
        ("merchants.js", "text/javascript"),
        ("icon.svg", "image/svg+xml"),
    ],
)
async def test_files_are_served(client: httpx.AsyncClient, name: str, content_type: str) -> None:
    response = await client.get(f"/_sandbox/static/{name}")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith(content_type)


@pytest.mark.parametrize(
    "path",
    [
        "/_sandbox/pages/secrets",
        "/_sandbox/parts/secrets",
        "/_sandbox/static/routes.py",
        "/_sandbox/static/..%2froutes.py",
        "/_sandbox/parts/bodies/delivery_none",
        "/_sandbox/parts/outcome/iauth_none",
    ],
)
async def test_what_there_is_not_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


async def test_a_purchase_is_shown_with_its_answer(client: httpx.AsyncClient) -> None:
    authorization = await paid(client)
    outcome = (await client.get(f"/_sandbox/parts/outcome/{authorization['id']}")).text
    assert "Approved" in outcome
    assert "19.99 USD" in outcome
    assert "card_active" in outcome
    assert "the product was not asked" in outcome
    page = (await client.get("/_sandbox/")).text
    assert "Ada Lovelace" in page
    assert "&lt;script&gt;Blue Bottle" in page
    assert 'value="capture"' in page
    assert "99,980.01 USD" in (await client.get("/_sandbox/parts/head")).text


async def test_a_captured_purchase_can_no_longer_be_acted_on(client: httpx.AsyncClient) -> None:
    authorization = await paid(client)
    await created(client, f"{HELPER}/{authorization['id']}/capture", {})
    part = (await client.get("/_sandbox/parts/authorizations")).text
    assert "captured 19.99 USD" in part
    assert "closed" in part
    assert 'value="capture"' not in part


async def test_deliveries_are_listed_filtered_and_opened(
    client: httpx.AsyncClient, app: Sandbox
) -> None:
    deliveries = app.world.deliveries
    for type_, status in (("issuing_card.created", 200), ("customer.created", 500)):
        event = make_event(
            type_, {"id": "obj_1", "object": "x"}, None, created=1, pending_webhooks=1
        )
        app.world.store.put("event", event.id, event)
        outcome = Outcome(duration_ms=3.14159, status=status, body=b'{"received":true}')
        recorded = deliveries.record(event, "http://product/events", outcome, attempt=2)
    page = (await client.get("/_sandbox/pages/deliveries")).text
    assert ">issuing_card.created<" in page
    assert "3.1 ms" in page
    filtered = (await client.get("/_sandbox/parts/deliveries?type=customer.created")).text
    assert ">issuing_card.created<" not in filtered
    assert 'class="state bad"' in filtered
    bodies = (await client.get(f"/_sandbox/parts/bodies/{recorded.id}")).text
    assert "&#34;received&#34;: true" in bodies
    assert "&#34;type&#34;: &#34;customer.created&#34;" in bodies


async def test_an_armed_fault_is_listed_and_counted(client: httpx.AsyncClient) -> None:
    fault = {"method": "GET", "path": "/v1/balance", "action": "status", "status": 503, "times": 1}
    await client.post("/_sandbox/faults", json=fault)
    assert "1 fault armed" in (await client.get("/_sandbox/parts/head")).text
    assert (await client.get("/v1/balance", headers=KEY)).status_code == 503
    part = (await client.get("/_sandbox/parts/faults")).text
    assert "GET /v1/balance" in part
    assert 'class="spent"' in part
    assert "armed" not in (await client.get("/_sandbox/parts/head")).text


async def test_a_saved_card_shows_what_it_behaves_like(client: httpx.AsyncClient) -> None:
    customer = await created(client, "/v1/customers", {"name": "Grace Hopper"})
    method = await created(
        client, "/v1/payment_methods/pm_card_visa/attach", {"customer": customer["id"]}
    )
    address = f"/_sandbox/payment_methods/{method['id']}/behaves_like"
    answer = await client.post(address, json={"token": "pm_card_chargeDeclinedExpiredCard"})
    assert answer.status_code == 200
    part = (await client.get("/_sandbox/parts/methods")).text
    assert "Grace Hopper" in part
    assert "<option selected>pm_card_chargeDeclinedExpiredCard" in part


async def test_the_clock_shows_how_far_it_was_moved(client: httpx.AsyncClient) -> None:
    await client.post("/_sandbox/clock", json={"advance_seconds": 90061})
    assert "1 d 1 h 1 min 1 s" in (await client.get("/_sandbox/pages/clock")).text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://sandbox"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://elsewhere"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://elsewhere"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://sandbox:8000"}, 403),
    ],
)
async def test_other_sites_change_nothing(
    client: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    for method, path in (("POST", "/_sandbox/reset"), ("DELETE", "/_sandbox/faults")):
        response = await client.request(method, path, headers=headers)
        assert response.status_code == status
    assert (await client.get("/_sandbox/health", headers=headers)).status_code == 200


async def test_every_preset_is_one_the_sandbox_takes(client: httpx.AsyncClient) -> None:
    for preset in FAULTS:
        fault = {
            "method": preset.method,
            "path": preset.path,
            "action": preset.action,
            "after_effect": preset.after_effect,
            "delay_ms": preset.delay_ms,
            "status": preset.status,
        }
        assert (await client.post("/_sandbox/faults", json=fault)).status_code == 200
        assert preset.action in ACTIONS
    page = (await client.get("/_sandbox/pages/faults")).text
    assert all(f"<option>{preset.path}</option>" in page for preset in FAULTS)
    assert {purchase.category for purchase in PURCHASES} | {*COMMON_CATEGORIES} <= CODES.keys()


async def test_what_can_be_done_after_a_purchase_is_offered(client: httpx.AsyncClient) -> None:
    captured, reversed_ = await paid(client), await paid(client)
    taken = await created(client, f"{HELPER}/{captured['id']}/capture", {})
    await created(client, f"{HELPER}/{reversed_['id']}/reverse", {})

    part = (await client.get("/_sandbox/parts/authorizations")).text

    transaction = taken["transactions"][0]["id"]
    assert f'data-afterwards="/v1/test_helpers/issuing/transactions/{transaction}/refund"' in part
    force = f"/_sandbox/issuing/authorizations/{reversed_['id']}/force_capture"
    assert f'data-afterwards="{force}"' in part


async def test_faults_of_events_are_listed_and_counted(client: httpx.AsyncClient) -> None:
    for action in EVENT_ACTIONS:
        fault = {"action": action, "type": "topup.*"}
        assert (await client.post("/_sandbox/event_faults", json=fault)).status_code == 200

    page = (await client.get("/_sandbox/pages/faults")).text

    assert "3 faults armed" in page
    assert all(meaning in page for meaning in EVENT_ACTIONS.values())
    assert "topup.*" in (await client.get("/_sandbox/parts/event_faults")).text
