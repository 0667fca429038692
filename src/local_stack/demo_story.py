"""The eight purchases of the demo, each told from what Stripe and the product answered."""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import msgspec
from sqlalchemy import select

from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.models import Authorization, AuthorizationRequest
from app.money import readable
from app.parts import Parts
from local_stack.merchant import Controls, Merchants

INTENTS = "/v1/payment_intents"
NO_FUNDS = "pm_card_visa_chargeDeclinedInsufficientFunds"
LATE_MS = 2_000
MERCHANT = "Blue Bottle"
LOOK_AGAIN_SECONDS = 0.05
RELEASED_WITHIN_SECONDS = 30


class Scene(msgspec.Struct, frozen=True):
    """The demo's customer, cards and ways to act."""

    parts: Parts
    merchants: Merchants
    controls: Controls
    stripe_customer_id: str
    payment_method: str
    card: str
    strict_card: str


class Story:
    """Plays each purchase and says a line for each thing that happens."""

    def __init__(self, scene: Scene, say: Callable[[str], None]) -> None:
        self.scene = scene
        self.say = say
        self.last: dict[str, Any] = {}

    def chapters(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        return [
            ("A purchase is approved", self.approved),
            ("The bank of the linked card says no", self.bank_declined),
            ("A control on the card says no", self.control_declined),
            ("The network asks the same question again", self.repeated),
            ("A shop checks the card with 0.00", self.zero),
            ("The merchant wants more on the same purchase", self.incremented),
            ("The bank is too slow", self.too_slow),
            ("The merchant reverses", self.reversed),
        ]

    async def approved(self) -> None:
        self.last = await self._pay(self.scene.card, 1999)

    async def bank_declined(self) -> None:
        method = self.scene.payment_method
        path = f"payment_methods/{method}/behaves_like"
        await self.scene.controls.call("POST", path, {"token": NO_FUNDS})
        try:
            await self._pay(self.scene.card, 4200)
        finally:
            await self.scene.controls.call("POST", path, {"token": None})

    async def control_declined(self) -> None:
        await self._pay(self.scene.strict_card, 3500, "The Tipsy Pig", "drinking_places")

    async def repeated(self) -> None:
        """Deliver the first purchase's question once more, signed anew, as a network may."""
        authorization = self.last["id"]
        before = len(await self._intents(authorization))
        asked = (await self._questions(authorization))[0]
        began = time.monotonic()
        told = await self._deliver(asked["request_body"].encode())
        took = (time.monotonic() - began) * 1000
        after = len(await self._intents(authorization))
        answer = "approved" if told["approved"] else "declined"
        self.say(f"   the same event again: {answer}, as before, in {took:.0f} ms")
        self.say(f"   charges of this purchase at Stripe: {before} before, {after} after")

    async def zero(self) -> None:
        await self._pay(self.scene.card, 0, "Netflix", "digital_goods_media")

    async def incremented(self) -> None:
        made = await self._pay(self.scene.card, 3000, "Taxi", "taxicabs_limousines")
        more = await self.scene.merchants.then(made["id"], "increment", increment_amount=1000)
        await self._tell(more, 1000, "Taxi, on top")

    async def too_slow(self) -> None:
        """Let the charge take effect after our deadline, and watch the repair release it."""
        await self.scene.controls.call(
            "POST",
            "faults",
            {"method": "POST", "path": INTENTS, "action": "delay", "delay_ms": LATE_MS},
        )
        self.say(f"   (the bank will take {LATE_MS} ms; Stripe waits 2000 for our answer)")
        began = time.monotonic()
        made = await self._pay(self.scene.card, 5500)
        await self._until(lambda: self._has(made["id"], "requires_capture", "canceled"))
        found = time.monotonic() - began
        self.say(f"   {found:.1f} s after the question the charge is there, though we declined")
        await self._until(lambda: self._has(made["id"], "canceled"))
        released = time.monotonic() - began
        self.say(f"   {released:.1f} s: the repair has found it at Stripe and released it")

    async def reversed(self) -> None:
        made = await self._pay(self.scene.card, 2400)
        began = time.monotonic()
        await self.scene.merchants.then(made["id"], "reverse")
        await self._until(lambda: self._has(made["id"], "canceled"))
        took = (time.monotonic() - began) * 1000
        self.say(f"   reversed; the hold is released {took:.0f} ms later, at no cost")

    async def _pay(
        self,
        card: str,
        amount_minor: int,
        merchant: str = MERCHANT,
        category: str = "fast_food_restaurants",
    ) -> dict[str, Any]:
        made = await self.scene.merchants.pay(card, amount_minor, merchant, category)
        await self._tell(made, amount_minor, merchant)
        return made

    async def _tell(self, made: dict[str, Any], amount_minor: int, merchant: str) -> None:
        """Say what was asked, what was answered and why, and how long it took."""
        outcome = made["request_history"][-1]
        answer = "approved" if outcome["approved"] else "declined"
        request = await self._request(made["id"], len(made["request_history"]) - 1)
        steps = request.step_ms
        ours = steps["total"] - steps.get("hold", 0.0)
        why = EXPLANATIONS[request.reason].short if request.reason else await self._held(made["id"])
        waited = (await self._questions(made["id"]))[0]["duration_ms"]
        self.say(f"   {merchant} asks for {readable(amount_minor)}: {answer} · {why}")
        self.say(f"   answered in {waited:.0f} ms, {ours:.0f} of them ours")

    async def _held(self, authorization: str) -> str:
        intents = await self._intents(authorization)
        if not intents:
            return "nothing to hold"
        newest = intents[0]
        face = await self.scene.parts.stripe.other.raw_request_async(
            "get", f"/v1/payment_methods/{newest['payment_method']}"
        )
        card = face.data["card"]
        word = "held" if newest["status"] == "requires_capture" else "charged"
        return f"{word} {readable(newest['amount'])} on {card['brand']} {card['last4']}"

    async def _request(self, authorization: str, ordinal: int) -> AuthorizationRequest:
        async with self.scene.parts.sessions() as session:
            found = await session.scalars(
                select(AuthorizationRequest)
                .join(Authorization)
                .where(
                    Authorization.stripe_authorization_id == authorization,
                    AuthorizationRequest.ordinal == ordinal,
                )
            )
            return found.one()

    async def _intents(self, authorization: str) -> list[dict[str, Any]]:
        customer = self.scene.stripe_customer_id
        listed = await self.scene.merchants.listed(INTENTS, customer=customer)
        return [one for one in listed if one["metadata"].get("authorization") == authorization]

    async def _has(self, authorization: str, *statuses: str) -> bool:
        return any(one["status"] in statuses for one in await self._intents(authorization))

    async def _questions(self, authorization: str) -> list[dict[str, Any]]:
        told = await self.scene.controls.call(
            "GET", f"deliveries?object_id={authorization}&type=issuing_authorization.request"
        )
        found: list[dict[str, Any]] = told["data"]
        return found

    async def _deliver(self, body: bytes) -> dict[str, Any]:
        now = int(time.time())
        secret = self.scene.parts.settings.authorization_secrets[0].encode()
        signed = hmac.new(secret, f"{now}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {"Stripe-Signature": f"t={now},v1={signed}"}
        settings = await self.scene.controls.call("GET", "settings")
        address = settings["authorization_webhook_url"]
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            session.post(address, data=body, headers=headers) as response,
        ):
            told: dict[str, Any] = await response.json()
            return told

    async def _until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(RELEASED_WITHIN_SECONDS):
            while True:
                if await condition():
                    return
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
