"""What merchants and card holders do, through Stripe's test helpers and the sandbox's controls."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import stripe

from app.adapters.stripe_test_helpers import network_id_of

AUTHORIZATIONS = "/v1/issuing/authorizations"
INTENTS = "/v1/payment_intents"
HELPERS = "/v1/test_helpers/issuing/authorizations"
TRANSACTION_HELPERS = "/v1/test_helpers/issuing/transactions"
SAVED_AS = "pm_card_visa"
# Charged off-session these say no, and saving them says no or asks for the holder: so a saved Visa
# is told to behave like them.
_UNSAVEABLE = (
    "pm_card_visa_chargeDeclined",
    "pm_card_chargeDeclined",
    "pm_card_authenticationRequired",
)


class Merchants:
    """Pays with virtual cards at merchants."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self.client = client

    async def pay(
        self,
        card: str,
        amount_minor: int,
        merchant: str,
        category: str = "fast_food_restaurants",
        **more: str,
    ) -> dict[str, Any]:
        """Ask for an amount in US cents; give Stripe's authorization, decided.

        `more` are other fields of the merchant: country (US unless given), city.
        """
        return await self._post(
            HELPERS,
            card=card,
            amount=amount_minor,
            currency="usd",
            merchant_data=_shop(merchant, category) | more,
        )

    async def pay_with_wrong_code(
        self, card: str, amount_minor: int, merchant: str, category: str
    ) -> dict[str, Any]:
        """Ask for an amount in US cents, the code on the back of the card mistyped."""
        return await self._post(
            HELPERS,
            card=card,
            amount=amount_minor,
            currency="usd",
            merchant_data=_shop(merchant, category),
            verification_data={"cvc_check": "mismatch"},
        )

    async def issuing_balance(self) -> int:
        """Give what the Issuing balance has left for purchases, in US cents."""
        response = await self.client.raw_request_async("get", "/v1/balance")
        return int(response.data["issuing"]["available"][0]["amount"])

    async def then(self, authorization: str, action: str, **params: Any) -> dict[str, Any]:
        """Capture, increment, reverse or expire an authorization; give it as it is afterwards."""
        return await self._post(f"{HELPERS}/{authorization}/{action}", **params)

    async def refund(self, transaction: str, **params: Any) -> dict[str, Any]:
        """Give back a capture, or `refund_amount` of it; give the new transaction."""
        return await self._post(f"{TRANSACTION_HELPERS}/{transaction}/refund", **params)

    async def save_card(self, stripe_customer_id: str, token: str) -> str:
        """Save a test card to a customer as the browser would; give the PaymentMethod's id.

        Source: https://docs.stripe.com/testing#cards
        """
        saved_as = SAVED_AS if token.startswith(_UNSAVEABLE) else token
        intent = await self._post(
            "/v1/setup_intents",
            customer=stripe_customer_id,
            payment_method=saved_as,
            allowed_payment_method_types=["card"],
            confirm=True,
            usage="off_session",
        )
        return str(intent["payment_method"])

    async def charges_of(self, stripe_customer_id: str) -> list[dict[str, Any]]:
        """Give all PaymentIntents of a customer, newest first, each with its latest charge."""
        expand = ["data.latest_charge"]
        return await self.listed(INTENTS, customer=stripe_customer_id, expand=expand)

    async def listed(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """Give everything Stripe lists at an address, newest first."""
        rows: list[dict[str, Any]] = []
        while True:
            response = await self.client.raw_request_async("get", path, limit=100, **params)
            page: list[dict[str, Any]] = response.data["data"]
            rows += page
            if not response.data["has_more"]:
                return rows
            params["starting_after"] = page[-1]["id"]

    async def _post(self, path: str, **params: Any) -> dict[str, Any]:
        response = await self.client.raw_request_async("post", path, **params)
        return dict(response.data)


class Controls:
    """The offline Stripe's own controls, at an address like http://127.0.0.1:12111."""

    def __init__(self, address: str) -> None:
        self.address = address

    async def call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """Use a control; raises ClientResponseError when it is refused."""
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            session.request(method, f"{self.address}/_sandbox/{path}", json=body) as response,
        ):
            told: dict[str, Any] = await response.json()
            return told

    async def behave_like(self, payment_method: str, token: str) -> None:
        """Let a saved card decline from now on as a test card does that cannot be saved."""
        if token.startswith(_UNSAVEABLE):
            path = f"payment_methods/{payment_method}/behaves_like"
            await self.call("POST", path, {"token": token})

    @asynccontextmanager
    async def undisturbed(self) -> AsyncIterator[None]:
        """Put aside the faults and the delay that somebody has set, and put them back at the end.

        A fault comes back with as many times as it still had; how often it fired starts anew.
        """
        faults = (await self.call("GET", "faults"))["data"]
        delay = {"latency_ms": (await self.call("GET", "settings"))["latency_ms"]}
        await self.call("DELETE", "faults")
        await self.call("POST", "settings", {"latency_ms": 0})
        try:
            yield
        finally:
            await self.call("POST", "settings", delay)
            await self.call("DELETE", "faults")
            for fault in faults:
                await self.call("POST", "faults", fault)


def _shop(name: str, category: str) -> dict[str, str]:
    network_id = network_id_of(name)
    return {"name": name, "category": category, "country": "US", "network_id": network_id}
