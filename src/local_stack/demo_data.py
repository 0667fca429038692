"""Fills the product with staff, customers, cards and purchases, so that no page is empty.

Everything is made the way it is made for real: people through the domain, purchases at the offline
Stripe, which asks the running product about each. Each step looks first at what is there already,
so that a load that was interrupted is finished by the next, and a finished one changes nothing.
"""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select

from app.cli_work import business_offset
from app.config import DEMO_PASSWORD, ConfigError, Settings
from app.config import load as load_settings
from app.domain.identity.audit import SYSTEM
from app.domain.identity.credentials import keep_demo_credential
from app.domain.identity.customers import by_email
from app.domain.identity.passwords import UnusablePassword
from app.domain.issuing.allowing import allow_once
from app.domain.issuing.control_models import Allowance
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.models import AuthorizationRequest, Card
from app.logs import configure_logs
from app.parts import Parts, open_parts
from local_stack.data_folder import DataFolder
from local_stack.demo_enrolling import enrolled, issued, linked_cards
from local_stack.demo_past import keep, kept, leave_work, play_past, reconcile_again
from local_stack.demo_people import CUSTOMERS, Bought, DemoCustomer
from local_stack.demo_shopping import go_shopping
from local_stack.demo_staff import make_staff
from local_stack.merchant import AUTHORIZATIONS, Merchants
from local_stack.refusal import REFUSED, Refusal


async def load(settings: Settings) -> None:
    """Fill the product that the settings name. Raise Refusal where money could be real."""
    if not settings.simulated:
        raise Refusal("Demo data wants the offline Stripe: leave the STRIPE_… settings unset.")
    async with open_parts(settings) as parts:
        await load_into(parts, DataFolder(Path(settings.data_dir)))


async def load_into(parts: Parts, folder: DataFolder) -> None:
    """Make people, play what they did where there is a story to be played, and the rest."""
    parts.clock.offset = await business_offset(parts.settings)
    story = kept(folder.demo_story)
    if story is None:
        await fill(parts)
        return

    def told(moment: datetime) -> None:
        story.played = moment
        keep(folder.demo_story, story)

    await make_people(parts)
    played = story.played if story.played > story.begin else None
    await play_past(parts, story.chapter, told, played)
    await fill(parts)
    await reconcile_again(parts)
    await leave_work(parts)
    folder.demo_story.unlink()


async def fill(parts: Parts) -> None:
    """Make what is missing of the demo's staff, customers, cards and purchases."""
    await make_people(parts)
    await asyncio.gather(*(_make_customer(parts, customer) for customer in CUSTOMERS))
    await _allow_one_more(parts)


async def make_people(parts: Parts) -> None:
    """Make what is missing of the demo's staff, customers and cards: then one can sign in."""
    password = parts.settings.demo_password or DEMO_PASSWORD
    await make_staff(parts)
    first, *others = CUSTOMERS  # who was there first is offered first where one pays
    await _make_customer(parts, first, buys=False)
    await _let_sign_in(parts, first, password)
    await asyncio.gather(*(_make_customer(parts, one, buys=False) for one in others))


async def _make_customer(parts: Parts, wanted: DemoCustomer, *, buys: bool = True) -> None:
    customer = await enrolled(parts, wanted.profile.person(parts.clock.now()))
    await linked_cards(parts, customer, wanted.sources)
    for owned in wanted.cards:
        card = await issued(parts, customer, owned)
        if buys:
            await _buy(parts, card, owned.bought)


async def _let_sign_in(parts: Parts, wanted: DemoCustomer, password: str) -> None:
    """Let the demo's first customer into the portal."""
    now = parts.clock.now()
    person = wanted.profile.person(now)
    async with parts.sessions() as session:
        customer = await by_email(session, person.email)
    assert customer is not None
    try:
        await keep_demo_credential(parts.sessions, customer.id, password, actor=SYSTEM, now=now)
    except UnusablePassword as error:
        raise Refusal(f"DEMO_PASSWORD: {error}") from None


async def _allow_one_more(parts: Parts) -> None:
    """Let the last purchase that a card's categories declined pass at its next try, once."""
    async with parts.sessions.begin() as session:
        declined = await session.scalar(
            select(AuthorizationRequest.id)
            .where(AuthorizationRequest.reason == DeclineReason.CATEGORY_NOT_ALLOWED)
            .order_by(AuthorizationRequest.requested_at.desc())
            .limit(1)
        )
        allowed = await session.scalar(select(Allowance.id).limit(1))
        if declined is not None and allowed is None:
            now = parts.clock.now()
            reason = "the customer called: it was them"
            await allow_once(session, str(declined), actor=SYSTEM, now=now, reason=reason)


async def _buy(parts: Parts, card: Card, bought: tuple[Bought, ...]) -> None:
    """Make the purchases that have not been made with the card; others of it are somebody's own."""
    merchants = Merchants(parts.stripe.other)
    listed = await merchants.listed(AUTHORIZATIONS, card=card.stripe_card_id)
    made = Counter((told["merchant_data"]["name"], _asked_minor(told)) for told in listed)
    for one in bought:
        if made[one.merchant, one.amount_minor] > 0:
            made[one.merchant, one.amount_minor] -= 1
            continue
        told = await merchants.pay(
            card.stripe_card_id,
            one.amount_minor,
            one.merchant,
            one.category,
            country=one.country,
        )
        if one.then is not None and told["approved"]:
            amount = {"capture_amount": one.capture_minor} if one.capture_minor else {}
            ended = await merchants.then(told["id"], one.then, **amount)
            if one.refund_minor:
                [captured] = ended["transactions"]
                await merchants.refund(captured["id"], refund_amount=one.refund_minor)


def _asked_minor(told: Mapping[str, Any]) -> int:
    """Give what an authorization asked for first; Stripe keeps no request of some that it made."""
    history = told["request_history"]
    asked: int = history[0]["amount"] if history else told["amount"]
    return asked


async def load_and_shop(settings: Settings) -> None:
    """Load once, then let the demo's customers go on shopping where the stack wants a story."""
    folder = DataFolder(Path(settings.data_dir))
    if not folder.demo_data_loaded.exists():
        await load(settings)
    if os.environ.get("DEMO_DAYS") == "0":
        return
    folder.demo_data_loaded.touch()
    async with open_parts(settings) as parts:
        parts.clock.offset = await business_offset(settings)
        await go_shopping(parts)


def main() -> None:
    """Load into the product that the environment names; exit code 2 after a refusal."""
    configure_logs(sys.stderr)
    try:
        asyncio.run(load_and_shop(load_settings(os.environ, Path.cwd())))
    except (ConfigError, Refusal) as refusal:
        click.echo(str(refusal), err=True)
        sys.exit(REFUSED)


if __name__ == "__main__":
    main()
