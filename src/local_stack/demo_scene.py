"""The demo's own customer and cards, and the questions the demo asks about them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import msgspec
import stripe
from sqlalchemy import select

from app.adapters.stripe_people import StripePeople
from app.domain.identity.audit import SYSTEM
from app.domain.identity.customers import enrol
from app.domain.identity.models import Customer
from app.domain.issuing.cards import CardControls, issue
from app.domain.issuing.models import Authorization, AuthorizationRequest, Card
from app.parts import Parts
from local_stack.demo_enrolling import link_test_card
from local_stack.demo_people import NORA, VISA
from local_stack.demo_verdict import Verdict, judge, kept_minor
from local_stack.merchant import AUTHORIZATIONS, Controls, Merchants
from local_stack.refusal import Failure

LOOK_AGAIN_SECONDS = 0.05
LONGEST_WAIT_SECONDS = 90
"""A worker that was killed keeps what it was settling for a minute."""
REQUEST_TYPE = "issuing_authorization.request"


class Scene(msgspec.Struct, frozen=True):
    """A customer with one linked card and two virtual ones, one of them not for bars."""

    parts: Parts
    merchants: Merchants
    controls: Controls
    customer: Customer
    payment_method: str
    everyday: Card
    no_bars: Card

    @property
    def stripe_customer_id(self) -> str:
        assert self.customer.stripe_customer_id is not None
        return self.customer.stripe_customer_id

    async def request(self, authorization: str, ordinal: int) -> AuthorizationRequest | None:
        """Give what the product noted about one request: its reason and the time of each step."""
        async with self.parts.sessions() as session:
            return await session.scalar(
                select(AuthorizationRequest)
                .join(Authorization)
                .where(
                    Authorization.stripe_authorization_id == authorization,
                    AuthorizationRequest.ordinal == ordinal,
                )
            )

    async def charges(self, authorization: str) -> list[dict[str, Any]]:
        """Give the PaymentIntents that Stripe lists for a purchase, newest first."""
        listed = await self.merchants.charges_of(self.stripe_customer_id)
        return [one for one in listed if one["metadata"].get("authorization") == authorization]

    async def live_charges(self, authorization: str) -> list[dict[str, Any]]:
        return [one for one in await self.charges(authorization) if kept_minor(one) > 0]

    async def linked_card(self, payment_method: str) -> str:
        """Name a linked card by what Stripe says of it, like "visa 4242"."""
        client = self.parts.stripe.other
        told = await client.raw_request_async("get", f"/v1/payment_methods/{payment_method}")
        return f"{told.data['card']['brand']} {told.data['card']['last4']}"

    async def question(self, authorization: str) -> dict[str, Any]:
        """Give the latest delivery of Stripe's question about a purchase."""
        path = f"deliveries?object_id={authorization}&type={REQUEST_TYPE}&limit=1"
        found: dict[str, Any] = (await self.controls.call("GET", path))["data"][0]
        return found

    async def deliver_again(self, question: dict[str, Any]) -> dict[str, Any]:
        """Send the same event to the same address once more, signed now; give the answer."""
        body = question["request_body"]
        secret = self.parts.settings.authorization_secrets[0]
        signature = stripe.WebhookSignature.generate_signature_header(body, secret)
        async with (
            aiohttp.ClientSession(raise_for_status=True) as session,
            session.post(
                question["url"],
                data=body.encode(),
                headers={"Stripe-Signature": signature, "Content-Type": "application/json"},
            ) as response,
        ):
            told: dict[str, Any] = await response.json()
            return told

    async def verdict(self) -> Verdict:
        """Ask Stripe for all authorizations and PaymentIntents of the customer, and judge them."""
        holder = self.customer.stripe_cardholder_id
        authorizations = await self.merchants.listed(AUTHORIZATIONS, cardholder=holder)
        return judge(authorizations, await self.merchants.charges_of(self.stripe_customer_id))

    async def until_certain(self) -> None:
        """Wait until the product has seen of each request what became true of it."""

        async def certain() -> bool:
            async with self.parts.sessions() as session:
                waiting = await session.scalar(
                    select(AuthorizationRequest.id)
                    .where(
                        AuthorizationRequest.customer_id == self.customer.id,
                        AuthorizationRequest.verified_at.is_(None),
                    )
                    .limit(1)
                )
            return waiting is None

        await until(certain, "every request's outcome is certain")


async def make_scene(parts: Parts) -> Scene:
    """Enrol the demo's customer, link a Visa and open two virtual cards."""
    people = StripePeople(parts.stripe.other, parts.network)
    sessions, network = parts.sessions, parts.network
    now = parts.clock.now()
    person = NORA.person(now, mark=f"+{time.time_ns():x}")
    customer = await enrol(sessions, people, person, SYSTEM, now=now)
    saved = await link_test_card(parts, customer, VISA)
    no_bars = CardControls(blocked_categories=["drinking_places"])
    return Scene(
        parts=parts,
        merchants=Merchants(parts.stripe.other),
        controls=Controls(parts.settings.stripe_api_base),
        customer=customer,
        payment_method=saved,
        everyday=await issue(
            sessions, network, customer.id, "Everyday", CardControls(), actor=SYSTEM
        ),
        no_bars=await issue(sessions, network, customer.id, "No bars", no_bars, actor=SYSTEM),
    )


async def until(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait for a condition. Raise Failure, saying what was waited for, when it does not come."""
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while not await condition():
        if time.monotonic() > deadline:
            raise Failure(f"The demo waited {LONGEST_WAIT_SECONDS} s in vain until {what}.")
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
