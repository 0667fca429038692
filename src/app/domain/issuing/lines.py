"""A purchase as its customer sees it in a list: what was asked, our fee, the total, how it stands.

All amounts are minor units of the customer's currency.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.funding.receivables import open_debts
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.explanation import Explanation
from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.merchant_names import tidy_name
from app.domain.issuing.models import Authorization, Card
from app.domain.issuing.owing import dues_on
from app.domain.issuing.purchase_sums import (
    AGREED_FEE,
    ASKED,
    CAPTURED,
    CHARGED,
    EARNED_FEE,
    FIRST_STATE,
    GIVEN_BACK,
    LAST_REASON,
    OWED,
    PAYING,
    REFUNDED,
    TAKEN_FEE,
)
from app.domain.issuing.states import AuthorizationState, RequestState

HOLDS_LAST, HOLDS_LAST_LONGER = timedelta(days=7), timedelta(days=31)
HELD_LONGER = frozenset(
    {
        "airlines_air_carriers",
        "car_rental_agencies",
        "cruise_lines",
        "hotels_motels_and_resorts",
        "recreational_vehicle_rentals",
        "truck_utility_trailer_rentals",
    }
)
"""An authorization that no merchant captures ends after a week, at these after a month.

Source: https://docs.stripe.com/issuing/purchases/authorizations
"""


class PurchaseStatus(StrEnum):
    """How a purchase stands, in the customer's words.

    NOT_TAKEN: charged to the linked card already, and the merchant may still take it, or not.
    """

    IN_PROGRESS = "in progress"
    DECLINED = "declined"
    CARD_CHECK = "card check"
    ON_HOLD = "on hold"
    NOT_TAKEN = "not taken yet"
    NOT_PAID = "not paid"
    COMPLETED = "completed"
    PARTLY_REFUNDED = "partly refunded"
    REFUNDED = "refunded"
    RELEASED = "released"


COSTS_NOTHING = frozenset(
    {PurchaseStatus.DECLINED, PurchaseStatus.CARD_CHECK, PurchaseStatus.RELEASED}
)


class Line(msgspec.Struct, frozen=True):
    """A purchase in a list.

    `answered`: our own answer to the first question, None while there is none. `reason`: why it, or
    the latest increment of it, was declined. `fee_minor`: our fee, paid or still to be paid; none
    on what no card has paid or will. `refunded_minor`: what went back to the linked card, with our
    fee. `owed_minor`: what of the merchant's part no linked card has paid yet. `charged_minor`:
    what linked cards were charged so far.
    """

    purchase: Authorization
    card: Card | None
    answered: bool | None
    reason: DeclineReason | None
    asked_minor: int
    fee_minor: int
    captured_minor: int
    given_back_minor: int
    refunded_minor: int
    owed_minor: int
    charged_minor: int

    @property
    def merchant(self) -> str:
        return tidy_name(self.purchase.merchant_name)

    @property
    def declined(self) -> bool:
        if self.captured_minor:
            return False  # a merchant took it all the same
        approved = self.purchase.approved
        return approved is False or (approved is None and self.answered is False)

    @property
    def explanation(self) -> Explanation | None:
        """Give why it was declined, in words."""
        return EXPLANATIONS[self.reason] if self.declined and self.reason else None

    @property
    def pending(self) -> bool:
        return not self.declined and self.purchase.state is AuthorizationState.PENDING

    @property
    def release_by(self) -> datetime:
        return release_by(self.purchase)

    @property
    def status(self) -> PurchaseStatus:
        if self.captured_minor:
            return self._taken
        if self.declined:
            return PurchaseStatus.DECLINED
        if self.purchase.approved is None and self.answered is None:
            return PurchaseStatus.IN_PROGRESS
        if self.asked_minor == 0:
            return PurchaseStatus.CARD_CHECK
        if not self.pending:
            return PurchaseStatus.RELEASED
        return PurchaseStatus.NOT_TAKEN if self.charged_minor else PurchaseStatus.ON_HOLD

    @property
    def _taken(self) -> PurchaseStatus:
        if self.owed_minor:
            return PurchaseStatus.NOT_PAID
        if self.given_back_minor >= self.captured_minor:
            return PurchaseStatus.REFUNDED
        partly = self.given_back_minor > 0
        return PurchaseStatus.PARTLY_REFUNDED if partly else PurchaseStatus.COMPLETED

    @property
    def amount_minor(self) -> int:
        """Give the merchant's part: what it took, or else what it asked for."""
        return self.captured_minor or self.asked_minor

    @property
    def total_minor(self) -> int:
        """Give what it costs before refunds: the merchant's part and our fee."""
        return 0 if self.status in COSTS_NOTHING else self.amount_minor + self.fee_minor


def release_by(purchase: Authorization) -> datetime:
    """Give when a purchase ends that no merchant takes."""
    longer = purchase.merchant_category in HELD_LONGER
    return purchase.occurred_at + (HOLDS_LAST_LONGER if longer else HOLDS_LAST)


async def lines_of(session: AsyncSession, customer_id: UUID, ids: Sequence[UUID]) -> list[Line]:
    """Give a customer's purchases in the order of their ids; another customer's are left out."""
    if not ids:
        return []
    found = await session.execute(
        select(
            *(Authorization, Card, FIRST_STATE, LAST_REASON, ASKED),
            *(CAPTURED, GIVEN_BACK, REFUNDED, OWED, CHARGED),
            *(AGREED_FEE, TAKEN_FEE, EARNED_FEE, PAYING),
        )
        .outerjoin(Card, Card.id == Authorization.card_id)
        .where(Authorization.customer_id == customer_id, Authorization.id.in_(ids))
    )
    lines = {
        line.purchase.id: line for line in [await _line(session, customer_id, row) for row in found]
    }
    return [lines[one] for one in ids if one in lines]


async def _line(session: AsyncSession, customer_id: UUID, row: Row[Any]) -> Line:
    purchase, card, first, reason, asked, captured, *sums = tuple(row)
    given_back, refunded, owed, charged, agreed, taken, earned, paying = map(int, sums)
    undecided = first is None or first is RequestState.DECIDING
    fee = taken if captured else agreed
    if captured and not paying:
        fee = min(fee, earned + (await _fee_due(session, customer_id, purchase) if owed else 0))
    return Line(
        purchase=purchase,
        card=card,
        answered=None if undecided else first is RequestState.APPROVED,
        reason=reason,
        asked_minor=int(asked),
        fee_minor=fee,
        captured_minor=int(captured),
        given_back_minor=given_back,
        refunded_minor=refunded,
        owed_minor=owed,
        charged_minor=charged,
    )


async def _fee_due(session: AsyncSession, customer_id: UUID, purchase: Authorization) -> int:
    """Give the fee that is due with what is open of a purchase. It is the same at any time."""
    debts = await open_debts(session, customer_id)
    own = [debt for debt in debts if debt.purchase_id == purchase.id]
    return (await dues_on(session, purchase, own, purchase.occurred_at)).fee_minor
