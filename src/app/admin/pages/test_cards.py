"""The cards that a test purchase can be made with, and what the bank behind each says."""

from collections.abc import Mapping

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.adapters.merchant_errors import MerchantRefused, StripeUnclear
from app.adapters.sandbox_controls import SandboxControls
from app.admin.wording import card_digits, words
from app.domain.funding.models import FundingSource
from app.domain.funding.states import FundingSourceState
from app.domain.identity.models import Customer
from app.domain.issuing.models import Card
from app.parts import Parts

MOST_CARDS = 200


class Option(msgspec.Struct, frozen=True):
    """A card to choose: Stripe's id of it, and all that tells it from the others."""

    stripe_card_id: str
    words: str


async def cards_to_choose(parts: Parts, session: AsyncSession) -> list[Option]:
    """Give the cards by their customers' names, with what is known of the banks behind them."""
    linked = aliased(FundingSource)
    # The order in which a decision tries them.
    first = (
        select(linked.id)
        .where(linked.customer_id == Card.customer_id, linked.state == FundingSourceState.ACTIVE)
        .order_by(
            linked.id.is_not_distinct_from(Card.funding_source_id).desc(),
            linked.is_default.desc(),
            linked.priority,
            linked.id,
        )
        .limit(1)
        .correlate(Card)
        .scalar_subquery()
    )
    rows = await session.execute(
        select(Card, Customer, FundingSource)
        .join(Customer, Customer.id == Card.customer_id)
        .outerjoin(FundingSource, FundingSource.id == first)
        .order_by(Customer.first_name, Customer.last_name, Card.nickname, Card.id)
        .limit(MOST_CARDS)
    )
    banks = await _banks(parts)
    return [
        Option(card.stripe_card_id, _in_words(card, customer, source, banks))
        for card, customer, source in rows
    ]


async def _banks(parts: Parts) -> Mapping[str, str]:
    """Give what banks refuse with, by Stripe's id of the linked card; nothing where none tells."""
    if parts.settings.sandbox_url is None:
        return {}
    try:
        return await SandboxControls(parts.settings.sandbox_url).refusing()
    except (MerchantRefused, StripeUnclear):
        return {}


def _in_words(
    card: Card, customer: Customer, source: FundingSource | None, banks: Mapping[str, str]
) -> str:
    told = f"{customer.name} — {card.nickname} {card_digits(card.last4)} ({words(card.state)})"
    if source is None:
        return f"{told} · no linked card"
    refusal = banks.get(source.stripe_payment_method_id)
    return f"{told} · bank says {words(refusal)}" if refusal else told
