"""Fills a fresh product with customers, cards and purchases, so that no page is empty.

Everything is made the way it is made for real: people through the domain, purchases at the offline
Stripe, which asks the running product about each.
"""

import asyncio
import os
import secrets
from pathlib import Path

from sqlalchemy import select

from app.adapters.stripe_people import StripePeople
from app.config import load as load_settings
from app.domain.funding.sources import link
from app.domain.identity.audit import SYSTEM
from app.domain.identity.customers import enrol
from app.domain.identity.models import Customer
from app.domain.identity.staff import DEMO_DOMAIN, add_staff, staff_by_email
from app.domain.identity.states import Role
from app.domain.issuing.cards import issue
from app.parts import Parts, open_parts
from local_stack.demo_people import CUSTOMERS, Bought, DemoCustomer, Owned
from local_stack.merchant import Controls, Merchants

NAMES = {
    Role.SUPPORT: "Sam Support",
    Role.FINANCE: "Fiona Finance",
    Role.RISK: "Rik Risk",
    Role.ADMIN: "Ada Admin",
    Role.AUDITOR: "Otto Auditor",
    Role.OWNER: "Olga Owner",
}


async def fill(parts: Parts) -> bool:
    """Make staff, customers and their purchases. False, and nothing done, where customers exist."""
    await _make_staff(parts)
    async with parts.sessions() as session:
        if await session.scalar(select(Customer.id).limit(1)) is not None:
            return False
    first, *others = CUSTOMERS  # who was there first is offered first where one pays
    await _make_customer(parts, first)
    await asyncio.gather(*(_make_customer(parts, customer) for customer in others))
    return True


async def _make_staff(parts: Parts) -> None:
    """Make a member of staff for each role. Nobody knows the passwords: one click signs them in."""
    async with parts.sessions.begin() as session:
        for role, name in NAMES.items():
            email = f"{role.value}{DEMO_DOMAIN}"
            if await staff_by_email(session, email) is None:
                password = secrets.token_urlsafe(24)
                await add_staff(session, email, name, password, [role], actor=SYSTEM)


async def _make_customer(parts: Parts, wanted: DemoCustomer) -> None:
    people = StripePeople(parts.stripe.other, parts.network)
    merchants = Merchants(parts.stripe.other)
    customer = await enrol(parts.sessions, people, wanted.person, SYSTEM)
    assert customer.stripe_customer_id is not None
    for token in wanted.sources:
        saved = await merchants.save_card(customer.stripe_customer_id, token)
        await link(parts.sessions, people, customer.id, saved, SYSTEM)
        await Controls(parts.settings.stripe_api_base).behave_like(saved, token)
    for owned in wanted.cards:
        await _make_card(parts, merchants, customer, owned)


async def _make_card(parts: Parts, merchants: Merchants, customer: Customer, owned: Owned) -> None:
    sessions, network = parts.sessions, parts.network
    card = await issue(sessions, network, customer.id, owned.nickname, owned.controls, actor=SYSTEM)
    for bought in owned.bought:
        await _buy(merchants, card.stripe_card_id, bought)


async def _buy(merchants: Merchants, card: str, bought: Bought) -> None:
    made = await merchants.pay(
        card, bought.amount_minor, bought.merchant, bought.category, bought.country
    )
    if bought.then is not None and made["approved"]:
        amount = {"capture_amount": bought.capture_minor} if bought.capture_minor else {}
        await merchants.then(made["id"], bought.then, **amount)


async def load() -> None:
    """Fill the product that the environment names."""
    async with open_parts(load_settings(os.environ, Path.cwd())) as parts:
        await fill(parts)


if __name__ == "__main__":
    asyncio.run(load())
