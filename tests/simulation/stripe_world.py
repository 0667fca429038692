"""A small Stripe in memory: keys that make a charge happen once, and time that a charge takes."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from itertools import count

import msgspec

from app.domain.funding.charges import ChargeOrder, ChargeOutcome, IntentFacts, RefundFacts
from app.domain.funding.states import LIVE_CHARGES, ChargeState, FundingMode
from app.domain.issuing.asking import Ask
from app.domain.issuing.card_network import RequestFacts
from tests.simulation.cases import Case, Outcome

USUAL_SECONDS = 0.3
LIMITED_SECONDS = 0.05
# Beyond our patience, both in a decision and outside it, and within the repair's.
SLOW_SECONDS = 40.0
HANGS_SECONDS = 100.0
LIVE = {FundingMode.HOLD: ChargeState.HELD, FundingMode.CHARGE: ChargeState.CAPTURED}


class Purchase(msgspec.Struct):
    """What Stripe asks about, and its word on it once it has decided."""

    case: Case
    ask: Ask
    occurred_at: datetime
    word: RequestFacts | None = None
    # How often a charge was asked for in a decision, and how often by a repair.
    charges: int = 0
    charged_again: int = 0


class Intent(msgspec.Struct):
    id: str
    order: ChargeOrder
    state: ChargeState
    created_at: datetime
    captured_minor: int = 0
    refunds: dict[str, RefundFacts] = {}

    @property
    def refunded_minor(self) -> int:
        return sum(refund.amount_minor for refund in self.refunds.values())

    @property
    def is_live(self) -> bool:
        return self.state in LIVE_CHARGES

    def facts(self) -> IntentFacts:
        order = self.order
        return IntentFacts(
            id=self.id,
            state=self.state,
            mode=order.mode,
            amount_minor=order.amount_minor,
            captured_minor=self.captured_minor,
            refunded_minor=self.refunded_minor,
            created_at=self.created_at,
            authorization=order.authorization,
            request=order.request,
            attempt=order.attempt,
            stripe_charge_id=None,
            capture_before=None,
            decline_code=None,
            payment_method=order.stripe_payment_method_id,
        )


class StripeWorld:
    """Charges go on in it whatever becomes of whoever asked for them."""

    def __init__(self, wall: Callable[[], datetime]) -> None:
        self.wall = wall
        self.purchases: dict[str, Purchase] = {}
        self.intents: dict[str, Intent] = {}
        # Stripe keeps the first answer to a key, a failure too, and repeats it.
        # Source: https://docs.stripe.com/api/idempotent_requests
        self.answers: dict[str, ChargeOutcome] = {}
        self.under_way: set[str] = set()
        self.work: set[asyncio.Task[ChargeOutcome]] = set()
        self.numbers = count(1)

    def intents_of(self, authorization: str) -> list[Intent]:
        return [one for one in self.intents.values() if one.order.authorization == authorization]

    def charge(self, order: ChargeOrder, outcome: Outcome) -> asyncio.Task[ChargeOutcome]:
        """Begin to charge; what is given ends with the answer."""
        task = asyncio.create_task(self._charge(order, outcome))
        self.work.add(task)
        task.add_done_callback(self.work.discard)
        return task

    async def ended(self) -> None:
        """Wait until nothing is under way that could still become a charge."""
        await asyncio.gather(*self.work)

    async def _charge(self, order: ChargeOrder, outcome: Outcome) -> ChargeOutcome:
        if order.key in self.answers:
            return self.answers[order.key]
        if order.key in self.under_way:
            return _unknown("409, the key is in use")
        if outcome is Outcome.TOO_MANY:
            # Refused before anything runs, and so not kept.
            await asyncio.sleep(LIMITED_SECONDS)
            return ChargeOutcome(ChargeState.DECLINED, decline_code="rate_limited")
        self.under_way.add(order.key)
        try:
            if outcome is Outcome.HANGS:
                await asyncio.sleep(HANGS_SECONDS)
                return _unknown("nothing came")
            await asyncio.sleep(SLOW_SECONDS if outcome is Outcome.SLOW else USUAL_SECONDS)
            answer = self.answers[order.key] = self._made(order, outcome)
        finally:
            self.under_way.discard(order.key)
        return answer

    def _made(self, order: ChargeOrder, outcome: Outcome) -> ChargeOutcome:
        if outcome is Outcome.ERROR_NOT_CREATED:
            return _unknown("500")
        declined = outcome is Outcome.REFUSED
        state = ChargeState.DECLINED if declined else LIVE[order.mode]
        intent = Intent(f"pi_{next(self.numbers)}", order, state, self.wall())
        intent.captured_minor = order.amount_minor if state is ChargeState.CAPTURED else 0
        self.intents[intent.id] = intent
        if outcome is Outcome.ERROR_CREATED:
            return _unknown("500")
        code = "insufficient_funds" if declined else None
        return ChargeOutcome(state, stripe_payment_intent_id=intent.id, decline_code=code)


def _unknown(detail: str) -> ChargeOutcome:
    return ChargeOutcome(ChargeState.UNKNOWN, detail=detail)


async def answered_within(seconds: float, task: asyncio.Task[ChargeOutcome]) -> ChargeOutcome:
    """Wait for a charge, and not longer; it goes on at Stripe without us."""
    done, _ = await asyncio.wait([task], timeout=seconds)
    return task.result() if done else _unknown("no answer in time")
