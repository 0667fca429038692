"""Customers: who they are, and their two identities at Stripe."""

from datetime import date, datetime
from typing import Protocol
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Sessions
from app.domain.identity.audit import Actor, record
from app.domain.identity.models import Customer
from app.domain.identity.states import CustomerState
from app.errors import AppError

TELL_EMAIL = "tell_email"
"""The job after a change."""


class EmailTaken(AppError, status=409):
    """A customer with this e-mail address exists."""


class CustomerNotFound(AppError, status=404):
    """No customer has this id."""


class Person(msgspec.Struct, frozen=True):
    """What a customer tells about themselves: real data, as issuing a card requires.

    Source: https://docs.stripe.com/issuing/cards/virtual/issue-cards#create-cardholder
    """

    email: str
    first_name: str
    last_name: str
    birth_date: date
    phone: str
    address_line1: str
    city: str
    postal_code: str
    country: str
    terms_accepted_at: datetime
    terms_accepted_ip: str
    address_line2: str | None = None
    region: str | None = None


class PeopleAtStripe(Protocol):
    """What enrolment asks of the outside. Repeats are safe: the keys name the customer."""

    async def create_customer(self, customer: Customer) -> str: ...

    async def create_cardholder(self, customer: Customer) -> str: ...

    async def change_email(self, customer: Customer) -> None: ...


async def enrol(
    sessions: Sessions, outside: PeopleAtStripe, person: Person, actor: Actor, *, now: datetime
) -> Customer:
    """Keep a new customer, make both identities at Stripe, and let the customer act.

    `now` is business time. Raises EmailTaken. When Stripe fails half-way the customer stays
    onboarding; `resume` goes on.
    """
    customer = await keep_customer(sessions, person, actor, now=now)
    return await resume(sessions, outside, customer.id, actor)


async def keep_customer(
    sessions: Sessions, person: Person, actor: Actor, *, now: datetime
) -> Customer:
    """Keep a new customer, who is nobody at Stripe yet, as of business time. Raises EmailTaken."""
    async with sessions.begin() as session:
        if await by_email(session, person.email) is not None:
            raise EmailTaken(person.email)
        told = msgspec.structs.asdict(person)
        customer = Customer(**told, state=CustomerState.ONBOARDING, created_at=now)
        session.add(customer)
        await session.flush()
        record(session, actor, "customer.enrol", subject=customer)
    return customer


async def resume(
    sessions: Sessions, outside: PeopleAtStripe, customer_id: UUID, actor: Actor
) -> Customer:
    """Finish an enrolment: make what is missing at Stripe, then let the customer act."""
    async with sessions() as session:
        customer = await session.get(Customer, customer_id)
    if customer is None:
        raise CustomerNotFound(str(customer_id))
    if customer.stripe_customer_id is None:
        made = await outside.create_customer(customer)
        # Kept at once: what is wrong for a cardholder can be put right and tried again.
        async with sessions.begin() as session:
            customer = await session.get_one(Customer, customer_id)
            customer.stripe_customer_id = made
    cardholder = customer.stripe_cardholder_id or await outside.create_cardholder(customer)
    async with sessions.begin() as session:
        customer = await session.get_one(Customer, customer_id, with_for_update={"key_share": True})
        customer.stripe_cardholder_id = cardholder
        if customer.state is CustomerState.ONBOARDING:
            customer.move_to(CustomerState.ACTIVE)
            record(session, actor, "customer.activate", subject=customer)
    return customer


async def tell_email(sessions: Sessions, outside: PeopleAtStripe, customer_id: UUID) -> None:
    """Tell Stripe a customer's e-mail address as it is now; a repeat changes nothing."""
    async with sessions() as session:
        customer = await session.get(Customer, customer_id)
    if customer is not None:
        await outside.change_email(customer)


async def by_email(session: AsyncSession, email: str) -> Customer | None:
    return await session.scalar(select(Customer).where(func.lower(Customer.email) == email.lower()))
