"""Put a purchase on the customer's linked cards, one after another, while there is time."""

from uuid_utils.compat import uuid7

from app.domain.funding.charges import (
    ChargeOrder,
    ChargeOutcome,
    ChargeRecord,
    FundingProcessor,
    charge_key,
)
from app.domain.funding.states import LIVE_CHARGES, ChargeState, FundingMode
from app.domain.issuing.asking import Ask
from app.domain.issuing.bank_reasons import OUR_OWN_FAULT, reason_for
from app.domain.issuing.decision import Fund
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.facts import SourceFacts
from app.domain.issuing.stopwatch import Stopwatch

CHARGE_WITHIN_SECONDS = 1.2
KEEP_FOR_WRITING_SECONDS = 0.25
NEXT_SOURCE_NEEDS_SECONDS = 0.7


async def fund(
    processor: FundingProcessor, mode: FundingMode, ask: Ask, decision: Fund, watch: Stopwatch
) -> tuple[list[ChargeRecord], DeclineReason | None]:
    """Try each linked card until one holds the amount; give the attempts, and why none did.

    The next card is tried only after a definite no and with time left. After an unclear answer
    nothing more is tried, since the first card may have been charged.
    """
    attempts: list[ChargeRecord] = []
    reason = DeclineReason.TOO_SLOW
    for number, source in enumerate(decision.sources, start=1):
        seconds = watch.at_most(CHARGE_WITHIN_SECONDS, keep=KEEP_FOR_WRITING_SECONDS)
        if seconds <= 0 or (attempts and not watch.has(NEXT_SOURCE_NEEDS_SECONDS)):
            break
        order = _order(mode, ask, decision, source, number)
        outcome = await processor.charge(order, timeout_seconds=seconds)
        attempts.append(_record(order, source, decision.approved_minor, outcome))
        if outcome.state in LIVE_CHARGES:
            return attempts, None
        if outcome.state is not ChargeState.DECLINED:
            return attempts, DeclineReason.FUNDING_UNKNOWN
        reason = reason_for(outcome.decline_code)
        if reason in OUR_OWN_FAULT:
            break
    return attempts, reason


def _order(
    mode: FundingMode, ask: Ask, decision: Fund, source: SourceFacts, number: int
) -> ChargeOrder:
    request = str(ask.ordinal)
    return ChargeOrder(
        key=charge_key(ask.authorization, request, number),
        stripe_customer_id=decision.stripe_customer_id,
        stripe_payment_method_id=source.stripe_payment_method_id,
        amount_minor=decision.amount_minor,
        currency=decision.currency,
        mode=mode,
        merchant_name=ask.merchant_name,
        authorization=ask.authorization,
        request=request,
        attempt=number,
    )


def _record(
    order: ChargeOrder, source: SourceFacts, principal_minor: int, outcome: ChargeOutcome
) -> ChargeRecord:
    amount = order.amount_minor
    principal = min(principal_minor, amount)
    return ChargeRecord(uuid7(), source.id, order.attempt, order.key, amount, principal, outcome)
