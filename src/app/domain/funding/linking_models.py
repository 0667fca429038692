"""The linking of a card, from the consent to what came of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from app.db import Table
from app.domain.funding.states import LINKING_MOVES, LinkingState
from app.domain.states import check_move


class CardLinking(Table):
    """One SetupIntent of ours: who agreed to be charged, to which words, and what came of it.

    It is also made to have a bank confirm a card that is linked already.
    """

    __tablename__ = "card_linking"
    __table_args__ = (
        CheckConstraint("failures >= 0", name="failures_positive"),
        Index("ix_card_linking_customer", "customer_id", "created_at"),
    )

    customer_id: Mapped[UUID] = mapped_column(ForeignKey("customer.id"))
    # The words that were agreed to, when and from where.
    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"))
    consented_at: Mapped[datetime]
    address: Mapped[str]
    user_agent: Mapped[str]
    # The card that is to be confirmed again; missing where a card is to be entered.
    confirms_id: Mapped[UUID | None] = mapped_column(ForeignKey("funding_source.id"))
    # Missing until Stripe has answered for the first time.
    stripe_setup_intent_id: Mapped[str | None] = mapped_column(unique=True)
    state: Mapped[LinkingState] = mapped_column(default=LinkingState.STARTED)
    # How often a card that was entered was refused by its bank.
    failures: Mapped[int] = mapped_column(default=0)
    # Why it was refused, as a word of ours; and what was linked, or was linked already.
    refusal: Mapped[str | None]
    funding_source_id: Mapped[UUID | None] = mapped_column(ForeignKey("funding_source.id"))

    def move_to(self, state: LinkingState) -> None:
        self.state = check_move(LINKING_MOVES, self.state, state)
