"""From a proved e-mail address to a customer: who they are, and what they accept, step by step.

What is accepted is stored as it was shown, with its hash, once for all who accept the same text.
"""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db import Sessions
from app.domain.identity.audit import Actor, record
from app.domain.identity.credential_models import (
    Acceptance,
    Agreement,
    Credential,
    IdentityDraft,
)
from app.domain.identity.customers import (
    EmailTaken,
    PeopleAtStripe,
    Person,
    by_email,
    keep_customer,
    resume,
)
from app.domain.identity.identity_answers import person_of
from app.domain.identity.models import Customer
from app.domain.identity.states import CustomerState
from app.errors import AppError


class StepMissing(AppError, status=409):
    """An earlier step of the onboarding is not done."""


class StepOver(AppError, status=409):
    """The step is done and cannot be done again."""


class Text(msgspec.Struct, frozen=True):
    """A text to accept: the terms, or what a purchase costs."""

    kind: str
    version: str
    text: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


class Accepted(msgspec.Struct, frozen=True):
    kind: str
    version: str
    sha256: str
    at: datetime


class Progress(msgspec.Struct, frozen=True):
    """How far a person has come. Answers are empty until some were given."""

    answers: Mapping[str, str]
    accepted: Sequence[Accepted]
    customer: Customer | None

    @property
    def enrolled(self) -> bool:
        return self.customer is not None and self.customer.state is not CustomerState.ONBOARDING


async def progress(session: AsyncSession, credential_id: UUID) -> Progress:
    """Read how far a person has come."""
    found = await session.execute(
        select(Credential, Customer, IdentityDraft.answers)
        .outerjoin(Customer, Customer.id == Credential.customer_id)
        .outerjoin(IdentityDraft, IdentityDraft.credential_id == Credential.id)
        .where(Credential.id == credential_id)
    )
    _, customer, answers = found.one()
    accepted = await session.execute(
        select(Agreement.kind, Agreement.version, Agreement.sha256, Acceptance.accepted_at)
        .join(Agreement, Agreement.id == Acceptance.agreement_id)
        .where(Acceptance.credential_id == credential_id)
        .order_by(Acceptance.accepted_at, Agreement.kind)
    )
    return Progress(answers or {}, [Accepted(*row) for row in accepted], customer)


async def keep_answers(
    session: AsyncSession, credential_id: UUID, answers: Mapping[str, str], actor: Actor
) -> None:
    """Keep what a person says about themselves. Raises StepOver once they are a customer."""
    credential = await session.get_one(Credential, credential_id, with_for_update=True)
    if (await progress(session, credential_id)).enrolled:
        raise StepOver("You have told us who you are; write to us when it has changed.")
    row = {"id": uuid7(), "credential_id": credential_id, "answers": dict(answers)}
    await session.execute(
        insert(IdentityDraft)
        .values(row)
        .on_conflict_do_update(index_elements=["credential_id"], set_={"answers": dict(answers)})
    )
    record(session, actor, "customer.identify", subject=credential)


async def accept(
    session: AsyncSession,
    credential_id: UUID,
    texts: Sequence[Text],
    *,
    actor: Actor,
    user_agent: str,
    now: datetime,
) -> None:
    """Store that these texts were accepted. Raises StepMissing; a repeat changes nothing."""
    credential = await session.get_one(Credential, credential_id, with_for_update=True)
    if not (await progress(session, credential_id)).answers:
        raise StepMissing("Tell us first who you are.")
    for text in texts:
        given = {
            "id": uuid7(),
            "credential_id": credential_id,
            "agreement_id": await keep_text(session, text),
            "accepted_at": now,
            "address": actor.address or "",
            "user_agent": user_agent[:300],
        }
        await session.execute(insert(Acceptance).values(given).on_conflict_do_nothing())
    hashes = {text.kind: text.sha256 for text in texts}
    record(session, actor, "customer.accept", subject=credential, after=hashes)


async def become_customer(
    sessions: Sessions,
    outside: PeopleAtStripe,
    credential_id: UUID,
    actor: Actor,
    *,
    now: datetime,
) -> Customer:
    """Make a customer of a person whose steps are done, or go on where that broke off.

    `now` is business time.

    Raises StepMissing, EmailTaken, and what Stripe's refusal or silence raises: the steps stay done
    and this can be called again. Sent twice at once it makes one customer: the address is unique,
    and so are the keys of the calls to Stripe.
    """
    async with sessions() as session:
        far = await progress(session, credential_id)
        if far.customer is not None and far.enrolled:
            return far.customer
        person = await _person(session, credential_id, far)
    customer_id = await _joined(sessions, person, credential_id, actor, now)
    await _correct(sessions, customer_id, person)
    customer = await resume(sessions, outside, customer_id, actor)
    async with sessions.begin() as session:
        whose = IdentityDraft.credential_id == credential_id
        await session.execute(delete(IdentityDraft).where(whose))
    return customer


async def _person(session: AsyncSession, credential_id: UUID, far: Progress) -> Person:
    """Give the person that the steps describe. Raises StepMissing."""
    if not far.answers or not far.accepted:
        raise StepMissing("Some of the steps before are not done.")
    credential = await session.get_one(Credential, credential_id)
    terms = await session.execute(
        select(Acceptance.accepted_at, Acceptance.address)
        .where(Acceptance.credential_id == credential_id)
        .order_by(Acceptance.accepted_at.desc())
        .limit(1)
    )
    at, address = terms.one()
    return person_of(far.answers, credential.email, terms_accepted_at=at, terms_accepted_ip=address)


async def _joined(
    sessions: Sessions, person: Person, credential_id: UUID, actor: Actor, now: datetime
) -> UUID:
    """Keep the person as a customer and join the credential to it; give the customer's id.

    A customer of the same address is theirs when name and date of birth agree: the address is
    proved by a mailed link. Raises EmailTaken when they do not.
    """
    # It may be there: by an earlier try, or by one at the same moment.
    with suppress(EmailTaken, IntegrityError):
        await keep_customer(sessions, person, actor, now=now)
    async with sessions.begin() as session:
        credential = await session.get_one(Credential, credential_id, with_for_update=True)
        customer = await by_email(session, person.email)
        if credential.customer_id is None and customer is not None:
            if _identity(customer) != _identity(person):
                raise EmailTaken("Another person is a customer with this address. Write to us.")
            credential.customer_id = customer.id
        assert credential.customer_id is not None
        return credential.customer_id


def _identity(who: Customer | Person) -> tuple[str, str, date]:
    return who.first_name, who.last_name, who.birth_date


async def _correct(sessions: Sessions, customer_id: UUID, person: Person) -> None:
    """Bring a customer who could not be enrolled in line with what they say now."""
    async with sessions.begin() as session:
        customer = await session.get_one(Customer, customer_id)
        if customer.stripe_cardholder_id is None:
            for name, value in msgspec.structs.asdict(person).items():
                setattr(customer, name, value)


async def keep_text(session: AsyncSession, text: Text) -> UUID:
    """Keep a text as it was shown, once for all who accept it; give its id."""
    row = {"id": uuid7(), "sha256": text.sha256, **msgspec.structs.asdict(text)}
    await session.execute(
        insert(Agreement).values(row).on_conflict_do_nothing(index_elements=["sha256"])
    )
    found = await session.scalar(select(Agreement.id).where(Agreement.sha256 == text.sha256))
    assert found is not None
    return found
