"""The small Stripe behind the ports through which the product speaks to it."""

import asyncio
from datetime import datetime
from typing import NoReturn

from app.domain.funding.charges import (
    ChargeOrder,
    ChargeOutcome,
    IntentFacts,
    RefundFacts,
    RefundOrder,
)
from app.domain.funding.states import ChargeState, RefundState
from app.domain.issuing.card_network import (
    AuthorizationFacts,
    CardholderOrder,
    CardOrder,
)
from app.domain.issuing.states import AuthorizationState
from app.failpoints import Place, reached
from tests.simulation.cases import Outcome
from tests.simulation.stripe_world import USUAL_SECONDS, StripeWorld, answered_within

BACK_OFFICE_SECONDS = 20.0


class Charging:
    """What a decision sees of Stripe. Whoever dies in a call has sent it."""

    def __init__(self, world: StripeWorld) -> None:
        self.world = world

    async def charge(self, order: ChargeOrder, *, timeout_seconds: float) -> ChargeOutcome:
        purchase = self.world.purchases[order.authorization]
        purchase.charges += 1
        task = self.world.charge(order, purchase.case.outcome)
        reached(Place.CHARGING)
        return await answered_within(timeout_seconds, task)


class BackOffice:
    """What repair and settlement see of it: its trouble is over when they try a second time."""

    def __init__(self, world: StripeWorld) -> None:
        self.world = world

    async def charge(self, order: ChargeOrder) -> ChargeOutcome:
        purchase = self.world.purchases[order.authorization]
        again = purchase.charged_again > 0 and not purchase.case.cannot_be_charged
        purchase.charged_again += 1
        outcome = Outcome.IN_TIME if again else purchase.case.outcome
        return await answered_within(BACK_OFFICE_SECONDS, self.world.charge(order, outcome))

    async def intents_of(self, stripe_customer_id: str, since: datetime) -> list[IntentFacts]:
        await asyncio.sleep(USUAL_SECONDS)
        return [
            intent.facts()
            for intent in self.world.intents.values()
            if intent.order.stripe_customer_id == stripe_customer_id and intent.created_at >= since
        ]

    async def intent(self, stripe_payment_intent_id: str) -> IntentFacts:
        await asyncio.sleep(USUAL_SECONDS)
        return self.world.intents[stripe_payment_intent_id].facts()

    async def capture(self, stripe_payment_intent_id: str, amount_minor: int) -> IntentFacts:
        await asyncio.sleep(USUAL_SECONDS)
        intent = self.world.intents[stripe_payment_intent_id]
        assert intent.state is ChargeState.HELD, f"{intent.id} is {intent.state}"
        intent.state, intent.captured_minor = ChargeState.CAPTURED, amount_minor
        return intent.facts()

    async def cancel(self, stripe_payment_intent_id: str) -> IntentFacts:
        await asyncio.sleep(USUAL_SECONDS)
        intent = self.world.intents[stripe_payment_intent_id]
        assert intent.state is ChargeState.HELD, f"{intent.id} is {intent.state}"
        intent.state = ChargeState.CANCELED
        return intent.facts()

    async def refund(self, order: RefundOrder) -> RefundFacts:
        await asyncio.sleep(USUAL_SECONDS)
        intent = self.world.intents[order.stripe_payment_intent_id]
        if order.key in intent.refunds:
            return intent.refunds[order.key]
        assert intent.refunded_minor + order.amount_minor <= intent.captured_minor
        name = f"re_{next(self.world.numbers)}"
        now, minor = self.world.wall(), order.amount_minor
        made = RefundFacts(name, RefundState.SUCCEEDED, minor, f"txn_{name}", None, now)
        intent.refunds[order.key] = made
        if intent.refunded_minor == intent.captured_minor:
            intent.state = ChargeState.REFUNDED
        return made

    async def refund_facts(self, stripe_refund_id: str) -> RefundFacts:
        refunds = (r for intent in self.world.intents.values() for r in intent.refunds.values())
        return next(refund for refund in refunds if refund.id == stripe_refund_id)


class Network:
    """Authorizations as Stripe shows them; a request is in the history once it is decided."""

    def __init__(self, world: StripeWorld) -> None:
        self.world = world

    async def authorization(self, stripe_authorization_id: str) -> AuthorizationFacts | None:
        await asyncio.sleep(USUAL_SECONDS)
        purchase = self.world.purchases[stripe_authorization_id]
        ask, word = purchase.ask, purchase.word
        approved = word is not None and word.approved
        declined = word is not None and not word.approved
        return AuthorizationFacts(
            id=ask.authorization,
            card=ask.card,
            state=AuthorizationState.CLOSED if declined else AuthorizationState.PENDING,
            approved=approved,
            amount_minor=ask.amount_minor if approved else 0,
            currency=ask.currency,
            occurred_at=purchase.occurred_at,
            merchant_name=ask.merchant_name,
            merchant_category=ask.merchant_category,
            merchant_country=ask.merchant_country,
            merchant_city=ask.merchant_city,
            merchant_network_id=ask.merchant_network_id,
            requests=[word] if word else [],
            transactions=[],
        )

    async def transaction(self, stripe_transaction_id: str) -> NoReturn:
        raise AssertionError("no merchant takes money here")

    async def create_cardholder(self, order: CardholderOrder) -> NoReturn:
        raise AssertionError("no settlement makes cardholders")

    async def create_card(self, order: CardOrder) -> NoReturn:
        raise AssertionError("no settlement makes cards")
