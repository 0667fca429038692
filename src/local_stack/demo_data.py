"""Fills the product with staff, customers, cards and purchases, so that no page is empty.

Everything is made the way it is made for real: people through the domain, purchases at the offline
Stripe, which asks the running product about each. Each step looks first at what is there already,
so that a load that was interrupted is finished by the next, and a finished one changes nothing.
"""

import asyncio
import os
import secrets
import sys
from pathlib import Path

import click
from sqlalchemy import select

from app.adapters.stripe_people import StripePeople
from app.config import ConfigError, Settings
from app.config import load as load_settings
from app.domain.funding.sources import active_sources, link
from app.domain.identity.audit import SYSTEM
from app.domain.identity.customers import Person, by_email, enrol, resume
from app.domain.identity.models import Customer
from app.domain.identity.staff import DEMO_DOMAIN, add_staff, staff_by_email
from app.domain.identity.states import Role
from app.domain.issuing.cards import issue, move_card
from app.domain.issuing.models import Card
from app.domain.issuing.states import CardState
from app.parts import Parts, open_parts
from local_stack.demo_people import CUSTOMERS, Bought, DemoCustomer, Owned
from local_stack.merchant import AUTHORIZATIONS, Controls, Merchants
from local_stack.refusal import REFUSED, Refusal

NAMES = {
    Role.SUPPORT: "Sam Support",
    Role.FINANCE: "Fiona Finance",
    Role.RISK: "Rik Risk",
    Role.ADMIN: "Ada Admin",
    Role.AUDITOR: "Otto Auditor",
    Role.OWNER: "Olga Owner",
}


async def load(settings: Settings) -> None:
    """Fill the product that the settings name. Raise Refusal where money could be real."""
    if not settings.simulated:
        raise Refusal("Demo data wants the offline Stripe: leave the STRIPE_… settings unset.")
    async with open_parts(settings) as parts:
        await fill(parts)


async def fill(parts: Parts) -> None:
    """Make what is missing of the demo's staff, customers, cards and purchases."""
    await _make_staff(parts)
    first, *others = CUSTOMERS  # who was there first is offered first where one pays
    await _make_customer(parts, first)
    await asyncio.gather(*(_make_customer(parts, customer) for customer in others))


async def _make_staff(parts: Parts) -> None:
    """Make a member of staff for each role. Nobody knows the passwords: one click signs them in."""
    async with parts.sessions.begin() as session:
        for role, name in NAMES.items():
            email = f"{role.value}{DEMO_DOMAIN}"
            if await staff_by_email(session, email) is None:
                password = secrets.token_urlsafe(24)
                await add_staff(session, email, name, password, [role], actor=SYSTEM)


async def _make_customer(parts: Parts, wanted: DemoCustomer) -> None:
    customer = await _enrolled(parts, wanted.profile.person(parts.clock.now()))
    async with parts.sessions() as session:
        linked = await active_sources(session, customer.id)
    for token in wanted.sources[len(linked) :]:
        await link_test_card(parts, customer, token)
    for owned in wanted.cards:
        card = await _issued(parts, customer, owned)
        await _buy(parts, card, owned.bought)


async def _enrolled(parts: Parts, person: Person) -> Customer:
    people = StripePeople(parts.stripe.other, parts.network)
    async with parts.sessions() as session:
        known = await by_email(session, person.email)
    if known is None:
        return await enrol(parts.sessions, people, person, SYSTEM)
    return await resume(parts.sessions, people, known.id, SYSTEM)


async def link_test_card(parts: Parts, customer: Customer, token: str) -> str:
    """Save one of Stripe's test cards and link it; give the PaymentMethod's id."""
    assert customer.stripe_customer_id is not None
    saved = await Merchants(parts.stripe.other).save_card(customer.stripe_customer_id, token)
    await Controls(parts.settings.stripe_api_base).behave_like(saved, token)
    people = StripePeople(parts.stripe.other, parts.network)
    await link(parts.sessions, people, customer.id, saved, SYSTEM)
    return saved


async def _issued(parts: Parts, customer: Customer, owned: Owned) -> Card:
    sessions = parts.sessions
    mine = (Card.customer_id == customer.id, Card.nickname == owned.nickname)
    async with sessions() as session:
        card = await session.scalar(select(Card).where(*mine))
    if card is None:
        name, controls = owned.nickname, owned.controls
        card = await issue(sessions, parts.network, customer.id, name, controls, actor=SYSTEM)
    if owned.frozen and card.state is CardState.ACTIVE:
        reason = "The customer sold the laptop."
        card = await move_card(sessions, card.id, CardState.FROZEN, SYSTEM, reason)
    return card


async def _buy(parts: Parts, card: Card, bought: tuple[Bought, ...]) -> None:
    """Make the purchases that have not been made with the card."""
    merchants = Merchants(parts.stripe.other)
    made = await merchants.listed(AUTHORIZATIONS, card=card.stripe_card_id)
    for one in bought[len(made) :]:
        told = await merchants.pay(
            card.stripe_card_id,
            one.amount_minor,
            one.merchant,
            one.category,
            country=one.country,
            network_id=one.network_id,
        )
        if one.then is not None and told["approved"]:
            amount = {"capture_amount": one.capture_minor} if one.capture_minor else {}
            await merchants.then(told["id"], one.then, **amount)


def main() -> None:
    """Load into the product that the environment names; exit code 2 after a refusal."""
    try:
        asyncio.run(load(load_settings(os.environ, Path.cwd())))
    except (ConfigError, Refusal) as refusal:
        click.echo(str(refusal), err=True)
        sys.exit(REFUSED)


if __name__ == "__main__":
    main()
