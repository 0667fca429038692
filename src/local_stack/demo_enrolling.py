"""Makes customers of the demo as they are made for real, and finds those that are there already."""

from collections.abc import Sequence

from sqlalchemy import select

from app.adapters.stripe_people import StripePeople
from app.domain.funding.sources import active_sources, link
from app.domain.identity.audit import SYSTEM, Actor
from app.domain.identity.customers import Person, by_email, enrol, resume
from app.domain.identity.models import Customer
from app.domain.issuing.cards import IssuedCards, issue
from app.domain.issuing.cards_moving import freeze_card
from app.domain.issuing.models import Card
from app.domain.issuing.states import CardState
from app.parts import Parts
from local_stack.demo_people import Owned
from local_stack.merchant import Controls, Merchants


async def enrolled(parts: Parts, person: Person) -> Customer:
    people = StripePeople(parts.stripe.other, parts.network)
    async with parts.sessions() as session:
        known = await by_email(session, person.email)
    if known is None:
        return await enrol(parts.sessions, people, person, SYSTEM, now=parts.clock.now())
    return await resume(parts.sessions, people, known.id, SYSTEM)


async def link_test_card(parts: Parts, customer: Customer, token: str) -> str:
    """Save one of Stripe's test cards and link it; give the PaymentMethod's id."""
    assert customer.stripe_customer_id is not None
    saved = await Merchants(parts.stripe.other).save_card(customer.stripe_customer_id, token)
    await Controls(parts.settings.stripe_api_base).behave_like(saved, token)
    people = StripePeople(parts.stripe.other, parts.network)
    await link(
        parts.sessions,
        people,
        IssuedCards(),
        customer.id,
        saved,
        actor=SYSTEM,
        now=parts.clock.now(),
    )
    return saved


async def issued(parts: Parts, customer: Customer, owned: Owned) -> Card:
    sessions = parts.sessions
    mine = (Card.customer_id == customer.id, Card.nickname == owned.nickname)
    async with sessions() as session:
        card = await session.scalar(select(Card).where(*mine))
    if card is None:
        name, controls = owned.nickname, owned.controls
        card = await issue(sessions, parts.network, customer.id, name, controls, actor=SYSTEM)
    if owned.frozen and card.state is CardState.ACTIVE:
        async with sessions.begin() as session:
            card = await freeze_card(session, card.id, actor=Actor("customer", customer.id))
    return card


async def linked_cards(parts: Parts, customer: Customer, tokens: Sequence[str]) -> None:
    """Link those of these test cards that are not linked yet, in order."""
    async with parts.sessions() as session:
        linked = await active_sources(session, customer.id)
    for token in tokens[len(linked) :]:
        await link_test_card(parts, customer, token)
