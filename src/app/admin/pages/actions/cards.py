"""What staff do about a card: freeze, unfreeze, close, replace, and its limits."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData

from app.admin.forms import text_field
from app.admin.pages.actions.act import Act, Done, Field, Scene, Told, money_in, seen_in
from app.admin.permissions import CLOSE, FREEZE, LIMITS, REPLACE, UNFREEZE
from app.admin.wording import card_digits, words
from app.domain.identity.models import Customer
from app.domain.identity.reasons import Reason
from app.domain.identity.states import CustomerState
from app.domain.issuing.cards import CardControls
from app.domain.issuing.cards_moving import close_card, freeze_card, unfreeze_card
from app.domain.issuing.cards_replacing import replace_card
from app.domain.issuing.cards_settings import (
    MOST_A_DAY_MINOR,
    MOST_A_MONTH_MINOR,
    MOST_A_PURCHASE_MINOR,
    change_controls,
    controls_of,
)
from app.domain.issuing.mirroring import Mirror
from app.domain.issuing.models import AuthorizationRequest, Card
from app.domain.issuing.states import CardState
from app.domain.marks import mark
from app.money import readable

STILL_COMES = (
    "What merchants were promised before can still be taken: no state of a card stops a capture."
)


class CardAct(Act):
    """What the actions on a card share: the facts about it."""

    view = "cards"
    effects: tuple[str, ...]
    # The states that the action begins in.
    begins: frozenset[CardState]

    def offered(self, row: Any) -> bool:
        return row.state in self.begins

    async def look(self, scene: Scene) -> Told:
        card: Card = await scene.found(Card)
        customer = await scene.session.get_one(Customer, card.customer_id)
        promised = await _promised(scene.session, card)
        return Told(
            what=f"{card.nickname} {card_digits(card.last4)}",
            onward=address(card),
            facts=(
                ("Customer", customer.name),
                ("State", f"{words(card.state)}{_by(card)}"),
                ("Promised to merchants, not taken yet", readable(promised)),
                ("Limit of a day", readable(card.daily_limit_minor)),
                ("Limit of a month", readable(card.monthly_limit_minor)),
                ("At Stripe", card.stripe_card_id),
            ),
            effects=self.effects,
            seen=mark(card),
            fields=self.fields(card),
            refused=self.refusal(card) or await self.hindrance(scene.session, card, scene.now),
        )

    def fields(self, card: Card) -> tuple[Field, ...]:  # noqa: ARG002  most ask for nothing more
        return ()

    def refusal(self, card: Card) -> str:
        return "" if card.state in self.begins else f"The card is {words(card.state)}."


class FreezeCard(CardAct):
    slug, title, action = "freeze-card", "Freeze the card", FREEZE
    done = "The card is frozen, here at once and at Stripe in a moment."
    reasons = ("customer_asked", "fraud_suspected", "card_lost_or_stolen", "policy", "other")
    begins = frozenset({CardState.ACTIVE, CardState.FROZEN})
    effects = (
        "The next purchase with the card is declined, here and at Stripe.",
        "Only staff can unfreeze it; the customer cannot.",
        STILL_COMES,
    )

    def offered(self, row: Any) -> bool:
        return row.state is CardState.ACTIVE or row.frozen_by == "customer"

    def refusal(self, card: Card) -> str:
        frozen = card.state is CardState.FROZEN and card.frozen_by != "customer"
        return "The card is frozen already." if frozen else super().refusal(card)

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:
        seen = seen_in(form)
        card = await freeze_card(scene.session, scene.id, actor=scene.actor, why=why, seen=seen)
        return Done(address(card))


class UnfreezeCard(CardAct):
    slug, title, action = "unfreeze-card", "Unfreeze the card", UNFREEZE
    done = "The card can be used again, at Stripe in a moment."
    reasons = ("customer_asked", "fraud_cleared", "incident_over", "other")
    begins = frozenset({CardState.FROZEN, CardState.INACTIVE})
    effects = (
        "A card that Stripe issued inactive is activated the same way.",
        "Purchases are decided by the rules and limits again, here and at Stripe.",
        "Make sure that why it was frozen is over.",
    )

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:
        seen = seen_in(form)
        card = await unfreeze_card(scene.session, scene.id, actor=scene.actor, why=why, seen=seen)
        return Done(address(card))


class CloseCard(CardAct):
    slug, title, action, grave = "close-card", "Close the card", CLOSE, True
    done = "The card is closed for good."
    reasons = ("customer_asked", "fraud_suspected", "card_lost_or_stolen", "policy", "other")
    begins = frozenset({CardState.INACTIVE, CardState.ACTIVE, CardState.FROZEN})
    effects = (
        "The card is closed for good, and canceled at Stripe. It cannot be opened again.",
        "A merchant's refund to it still reaches the customer's linked card.",
        STILL_COMES,
    )

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:
        seen = seen_in(form)
        card = await close_card(scene.session, scene.id, actor=scene.actor, why=why, seen=seen)
        return Done(address(card))


class ReplaceCard(CardAct):
    slug, title, action, grave = "replace-card", "Replace the card", REPLACE, True
    done = "The old card is closed. The new one is on its way from Stripe."
    reasons = ("card_lost_or_stolen", "fraud_suspected", "customer_asked", "other")
    begins = CloseCard.begins
    effects = (
        "The card is closed for good, and a new one with another number takes its place.",
        "The new one carries its name, limits, categories, countries, merchant and stops.",
        "Where staff or the product froze the old one, the new one is frozen too.",
        STILL_COMES,
    )

    async def hindrance(self, session: AsyncSession, row: Any, now: datetime) -> str:  # noqa: ARG002
        customer = await session.get_one(Customer, row.customer_id)
        if customer.state is not CustomerState.ACTIVE:
            return f"The customer is {words(customer.state)} and cannot hold cards."
        if customer.stripe_cardholder_id is None:
            return "Stripe does not know the customer as a cardholder yet."
        return ""

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:
        session, actor, seen = scene.session, scene.actor, seen_in(form)
        order = await replace_card(session, scene.id, actor=actor, why=why, seen=seen)
        mirror = Mirror(scene.parts.sessions, scene.parts.network)
        return Done(f"/admin/cards/details/{scene.id}", lambda: mirror.send(order.id))


class LimitCard(CardAct):
    slug, title, action = "limit-card", "Change the card's limits", LIMITS
    done = "The next purchase obeys the new limits."
    reasons = ("customer_asked", "fraud_suspected", "policy", "other")
    begins = CloseCard.begins
    effects = (
        "The next purchase obeys the new limits, here and at Stripe.",
        "What is open or was bought this day and month counts against them.",
    )

    def fields(self, card: Card) -> tuple[Field, ...]:
        purchase = card.purchase_limit_minor
        return (
            Field("daily", "A day", "money", readable(card.daily_limit_minor), _most("daily")),
            Field(
                "monthly", "A month", "money", readable(card.monthly_limit_minor), _most("month")
            ),
            Field(
                "purchase",
                "A purchase",
                "money",
                "" if purchase is None else readable(purchase),
                _most("purchase") + " Empty: no limit of its own.",
                required=False,
            ),
        )

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:
        card: Card = await scene.found(Card)
        purchase = None
        if text_field(form, "purchase"):
            most = MOST_A_PURCHASE_MINOR
            purchase = money_in(form, "purchase", most_minor=most, least_minor=0)
        kept = controls_of(card)
        values = {name: getattr(kept, name) for name in CardControls.__struct_fields__}
        values |= {
            "daily_limit_minor": money_in(
                form, "daily", most_minor=MOST_A_DAY_MINOR, least_minor=0
            ),
            "monthly_limit_minor": money_in(
                form, "monthly", most_minor=MOST_A_MONTH_MINOR, least_minor=0
            ),
            "purchase_limit_minor": purchase,
        }
        await change_controls(
            scene.session,
            card.id,
            CardControls(**values),
            actor=scene.actor,
            why=why,
            seen=seen_in(form),
        )
        return Done(address(card))


def address(card: Card) -> str:
    return f"/admin/cards/details/{card.id}"


def _most(of: str) -> str:
    most = {
        "daily": MOST_A_DAY_MINOR,
        "month": MOST_A_MONTH_MINOR,
        "purchase": MOST_A_PURCHASE_MINOR,
    }
    return f"From 0.00 to {readable(most[of])}."


def _by(card: Card) -> str:
    return f" by {'us' if card.frozen_by == 'system' else card.frozen_by}" if card.frozen_by else ""


async def _promised(session: AsyncSession, card: Card) -> int:
    """Give what is approved on a card and may still be taken."""
    reserved = select(func.coalesce(func.sum(AuthorizationRequest.reserved_minor), 0)).where(
        AuthorizationRequest.card_id == card.id, AuthorizationRequest.open
    )
    return int(await session.scalar(reserved) or 0)


CARD_ACTS: tuple[Act, ...] = (
    FreezeCard(),
    UnfreezeCard(),
    LimitCard(),
    ReplaceCard(),
    CloseCard(),
)
