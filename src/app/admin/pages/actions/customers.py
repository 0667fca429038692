"""What staff do about a customer: freeze, unfreeze, close, limits, and signing them out."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData

from app.admin.pages.actions.act import Act, Done, Field, Scene, Told, money_in, seen_in
from app.admin.pages.actions.cards import STILL_COMES
from app.admin.permissions import CLOSE, END_SESSIONS, FREEZE, LIMITS, UNFREEZE
from app.admin.wording import words
from app.domain.funding.receivables import open_debts
from app.domain.identity.credential_models import Credential, CustomerSession
from app.domain.identity.models import Customer
from app.domain.identity.reasons import Reason
from app.domain.identity.states import CustomerState
from app.domain.issuing.customers_moving import (
    MOST_EXPOSURE_MINOR,
    change_exposure,
    close_customer,
    end_customer_sessions,
    freeze_customer,
    open_of,
    unfreeze_customer,
)
from app.domain.issuing.models import Card
from app.domain.issuing.states import CardState
from app.domain.marks import mark
from app.money import readable

_OPEN = frozenset({CustomerState.ONBOARDING, CustomerState.ACTIVE, CustomerState.FROZEN})


class CustomerAct(Act):
    """What the actions on a customer share: the facts about them."""

    view = "customers"
    effects: tuple[str, ...]
    begins: frozenset[CustomerState]

    def offered(self, row: Any) -> bool:
        return row.state in self.begins

    async def look(self, scene: Scene) -> Told:
        customer: Customer = await scene.found(Customer)
        session = scene.session
        promised, held = await open_of(session, customer.id)
        owed = sum(debt.outstanding_minor for debt in await open_debts(session, customer.id))
        cards = await session.scalar(
            select(func.count()).where(
                Card.customer_id == customer.id, Card.state != CardState.CLOSED
            )
        )
        begins = customer.state in self.begins
        return Told(
            what=customer.name,
            onward=address(customer),
            facts=(
                ("State", words(customer.state)),
                ("Cards that are not closed", str(cards)),
                ("Promised to merchants, not taken yet", readable(promised)),
                ("Held on linked cards for it", readable(held)),
                ("Owed", readable(owed)),
                ("Limit for all that is open", readable(customer.exposure_limit_minor)),
            ),
            effects=self.effects,
            seen=mark(customer),
            fields=self.fields(customer),
            refused="" if begins else f"The customer is {words(customer.state)}.",
        )

    def fields(self, customer: Customer) -> tuple[Field, ...]:  # noqa: ARG002  most ask nothing
        return ()


class FreezeCustomer(CustomerAct):
    slug, title, action = "freeze-customer", "Freeze the customer", FREEZE
    done = "The customer is frozen: no card buys, here at once and at Stripe in a moment."
    reasons = ("fraud_suspected", "customer_asked", "policy", "other")
    begins = frozenset({CustomerState.ACTIVE})
    effects = (
        "The next purchase with any of the customer's cards is declined, here and at Stripe.",
        "The customer can still sign in and look; debts are still collected.",
        STILL_COMES,
    )

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:
        customer = await freeze_customer(
            scene.session, scene.id, actor=scene.actor, why=why, seen=seen_in(form)
        )
        return Done(address(customer))


class UnfreezeCustomer(CustomerAct):
    slug, title, action = "unfreeze-customer", "Unfreeze the customer", UNFREEZE
    done = "The customer's cards buy again, at Stripe in a moment."
    reasons = ("fraud_cleared", "customer_asked", "incident_over", "other")
    begins = frozenset({CustomerState.FROZEN})
    effects = (
        "The customer's cards are decided by the rules and limits again.",
        "A card that is frozen itself stays frozen.",
    )

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:
        customer = await unfreeze_customer(
            scene.session, scene.id, actor=scene.actor, why=why, seen=seen_in(form)
        )
        return Done(address(customer))


class CloseCustomer(CustomerAct):
    slug, title, action, grave = "close-customer", "Close the customer", CLOSE, True
    done = "The customer is closed, and every card with them."
    reasons = ("customer_asked", "fraud_suspected", "policy", "other")
    begins = _OPEN
    effects = (
        "Every card is closed for good and canceled at Stripe. It cannot be undone.",
        "Debts stay, and are still collected. Merchants' refunds still reach the linked card.",
        STILL_COMES,
    )

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:
        customer = await close_customer(
            scene.session, scene.id, actor=scene.actor, why=why, seen=seen_in(form)
        )
        return Done(address(customer))


class LimitCustomer(CustomerAct):
    slug, title, action = "limit-customer", "Change the customer's limit", LIMITS
    done = "The next purchase obeys the new limit."
    reasons = ("customer_asked", "fraud_suspected", "policy", "other")
    begins = _OPEN
    effects = (
        "What may be open on all cards together, approved and not yet settled, is another amount.",
        "What is open now counts against it; nothing that was approved is taken back.",
    )

    def fields(self, customer: Customer) -> tuple[Field, ...]:
        now, most = readable(customer.exposure_limit_minor), readable(MOST_EXPOSURE_MINOR)
        return (Field("exposure", "Limit for all that is open", "money", now, f"Up to {most}."),)

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:
        limit = money_in(form, "exposure", most_minor=MOST_EXPOSURE_MINOR, least_minor=0)
        customer = await change_exposure(
            scene.session, scene.id, limit, actor=scene.actor, why=why, seen=seen_in(form)
        )
        return Done(address(customer))


class SignOutCustomer(Act):
    slug, title = "sign-out-customer", "End the customer's sessions"
    view, action = "customers", END_SESSIONS
    done = "The customer is signed out everywhere."
    reasons = ("customer_asked", "fraud_suspected", "policy", "other")

    async def hindrance(self, session: AsyncSession, row: Any, now: datetime) -> str:  # noqa: ARG002
        return "" if await _lasting(session, row) else "The customer is signed in nowhere."

    async def look(self, scene: Scene) -> Told:
        customer: Customer = await scene.found(Customer)
        lasting = await _lasting(scene.session, customer)
        return Told(
            what=customer.name,
            onward=address(customer),
            facts=(("State", words(customer.state)), ("Sessions that last", str(lasting))),
            effects=(
                "The customer is signed out in every browser at once, and can sign in again.",
                "Cards and purchases are not touched: freeze those where that is wanted, too.",
            ),
            seen=mark(customer),
            refused=await self.hindrance(scene.session, customer, scene.now),
        )

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:  # noqa: ARG002
        now = datetime.now(UTC)
        await end_customer_sessions(scene.session, scene.id, actor=scene.actor, why=why, now=now)
        return Done(f"/admin/customer/{scene.id}")


async def _lasting(session: AsyncSession, customer: Customer) -> int:
    """Count the sessions that have neither ended nor lapsed, by the real clock."""
    found = await session.scalar(
        select(func.count(CustomerSession.id))
        .join(Credential, Credential.id == CustomerSession.credential_id)
        .where(
            Credential.customer_id == customer.id,
            CustomerSession.ended_at.is_(None),
            CustomerSession.expires_at > datetime.now(UTC),
        )
    )
    return found or 0


def address(customer: Customer) -> str:
    return f"/admin/customer/{customer.id}"


CUSTOMER_ACTS: tuple[Act, ...] = (
    FreezeCustomer(),
    UnfreezeCustomer(),
    LimitCustomer(),
    SignOutCustomer(),
    CloseCustomer(),
)
