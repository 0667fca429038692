"""Answer a purchase in time: record it, decide, charge the linked card, write down the answer.

Nothing is ever approved that is not known to be funded. What is not known when time is up is
declined, and left to the repair job, which asks Stripe what became true.
"""

import asyncio
from uuid import UUID

import structlog
from uuid_utils.compat import uuid7

from app.clock import Clock
from app.domain.funding.charges import ChargeRecord, FundingProcessor
from app.domain.funding.states import LIVE_CHARGES
from app.domain.issuing.asking import Answer, Ask
from app.domain.issuing.decision import (
    ApproveWithoutFunding,
    Decline,
    Facts,
    Fund,
    Purchase,
    decide,
)
from app.domain.issuing.decision_store import DecisionStore, Recorded, Verdict
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.fund import fund
from app.domain.issuing.states import RequestState
from app.domain.issuing.stopwatch import Stopwatch

log = structlog.get_logger()

# A bank that answers as most do still has time after it.
RECORD_WITHIN_SECONDS = 0.9
LOOK_AGAIN_SECONDS = 0.05
UNRECORDED_AT_MOST = 1_000


class Authorizer:
    """Answers requests. Holds at most `cap` decisions at once; beyond it, declines untouched."""

    def __init__(
        self,
        store: DecisionStore,
        processor: FundingProcessor,
        clock: Clock,
        *,
        own_descriptor: str,
        cap: int,
    ) -> None:
        self.store = store
        self.processor = processor
        self.clock = clock
        self.own_descriptor = own_descriptor
        self.cap = cap
        self.running: dict[str, asyncio.Future[Answer]] = {}
        self.unrecorded: asyncio.Queue[tuple[Ask, DeclineReason]] = asyncio.Queue(
            UNRECORDED_AT_MOST
        )

    @property
    def in_flight(self) -> int:
        return len(self.running)

    async def answer(self, ask: Ask, watch: Stopwatch) -> Answer:
        """Answer before the stopwatch runs out. Never raises: what goes wrong is a decline."""
        first = self.running.get(ask.event)
        if first is not None:
            return await self._same_as(first, watch)
        if self.in_flight >= self.cap:
            self._record_later(ask, DeclineReason.TOO_BUSY)
            return Answer(approved=False, reason=DeclineReason.TOO_BUSY, step_ms=watch.total())
        result = self.running[ask.event] = asyncio.get_running_loop().create_future()
        answer = Answer(approved=False, reason=DeclineReason.OUR_ERROR)
        try:
            answer = await self._answer_in_time(ask, watch)
        finally:
            del self.running[ask.event]
            result.set_result(answer)
        return answer

    async def record_unrecorded_declines(self) -> None:
        """Write down, for as long as the process runs, what was declined without the database."""
        while True:
            ask, reason = await self.unrecorded.get()
            try:
                await self._record_decline(ask, reason)
            except Exception:
                log.exception("decline_not_recorded", authorization=ask.authorization)

    async def _answer_in_time(self, ask: Ask, watch: Stopwatch) -> Answer:
        try:
            async with asyncio.timeout(watch.left()):
                return await self._answer(ask, watch)
        except TimeoutError:
            log.warning("answer_too_slow", authorization=ask.authorization)
            self._record_later(ask, DeclineReason.TOO_SLOW)
            return Answer(approved=False, reason=DeclineReason.TOO_SLOW, step_ms=watch.total())
        except Exception:
            log.exception("answer_failed", authorization=ask.authorization)
            self._record_later(ask, DeclineReason.OUR_ERROR)
            return Answer(approved=False, reason=DeclineReason.OUR_ERROR, step_ms=watch.total())

    async def _answer(self, ask: Ask, watch: Stopwatch) -> Answer:
        request_id = uuid7()
        now = self.clock.now()
        within = min(RECORD_WITHIN_SECONDS, watch.left())
        recorded = await self.store.record(ask, request_id, now, within)
        watch.step("record")
        if recorded.outcome == "replay":
            return await self._stored_answer(ask, recorded, watch)
        if recorded.outcome == "conflict":
            conflicting = DeclineReason.CONFLICTING
            return Answer(approved=False, reason=conflicting, step_ms=watch.total())
        facts = self._facts(ask, recorded)
        decision = decide(facts)
        watch.step("decide")
        charges: list[ChargeRecord] = []
        reason: DeclineReason | None = None
        match decision:
            case Decline(refusal):
                reason = refusal
            case ApproveWithoutFunding():
                pass
            case Fund():
                mode = self.store.mode
                charges, reason = await fund(self.processor, mode, ask, decision, watch)
                watch.step("hold")
        return await self._write(request_id, facts, charges, reason, watch)

    def _facts(self, ask: Ask, recorded: Recorded) -> Facts:
        return Facts(
            purchase=Purchase(
                ask.amount_minor,
                ask.currency,
                ask.merchant_name,
                ask.merchant_category,
                ask.merchant_country,
                ask.merchant_network_id,
            ),
            card=recorded.card,
            customer=recorded.customer,
            sources=recorded.sources,
            price=recorded.price,
            usage=recorded.usage,
            approved_before_minor=ask.approved_before_minor,
            own_descriptor=self.own_descriptor,
        )

    async def _write(
        self,
        request_id: UUID,
        facts: Facts,
        charges: list[ChargeRecord],
        reason: DeclineReason | None,
        watch: Stopwatch,
    ) -> Answer:
        approved = reason is None
        fee = (
            facts.price.fee_on_top(facts.approved_before_minor, facts.purchase.amount_minor)
            if approved and facts.price
            else 0
        )
        verdict = Verdict(
            request_id,
            RequestState.APPROVED if approved else RequestState.DECLINED,
            reason,
            self.clock.now(),
            fee,
            charges,
            watch.total(),
        )
        if not await self.store.write(verdict, watch.left()):
            # Somebody else has settled this request meanwhile: only a decline is safe.
            return Answer(approved=False, reason=DeclineReason.TOO_SLOW, step_ms=watch.total())
        watch.step("write")
        live = next((c for c in charges if c.outcome.state in LIVE_CHARGES), None)
        source = next((s for s in facts.sources if live and s.id == live.funding_source_id), None)
        return Answer(
            approved=approved,
            reason=reason,
            held_minor=live.amount_minor if live else 0,
            source_brand=source.brand if source else None,
            source_last4=source.last4 if source else None,
            step_ms=watch.total(),
        )

    async def _same_as(self, first: asyncio.Future[Answer], watch: Stopwatch) -> Answer:
        """Wait for the first delivery of the same request, and repeat its answer."""
        done, _ = await asyncio.wait([first], timeout=watch.left())
        if not done:
            reason = DeclineReason.TOO_SLOW
            return Answer(approved=False, reason=reason, step_ms=watch.total(), replayed=True)
        answer = first.result()
        return Answer(approved=answer.approved, reason=answer.reason, replayed=True)

    async def _stored_answer(self, ask: Ask, recorded: Recorded, watch: Stopwatch) -> Answer:
        """Repeat the stored answer; while another process is still deciding, wait for it."""
        state = recorded.state
        while state is RequestState.DECIDING:
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
            state = await self.store.state_of(ask.event, watch.left())
        approved = state is RequestState.APPROVED
        return Answer(approved=approved, step_ms=watch.total(), replayed=True)

    def _record_later(self, ask: Ask, reason: DeclineReason) -> None:
        """Have a decline written down after it was answered, unless its row is there already."""
        try:
            self.unrecorded.put_nowait((ask, reason))
        except asyncio.QueueFull:
            # Stripe's own event about the authorization will still bring it into our tables.
            log.warning("decline_not_queued", authorization=ask.authorization)

    async def _record_decline(self, ask: Ask, reason: DeclineReason) -> None:
        request_id = uuid7()
        now = self.clock.now()
        recorded = await self.store.record(ask, request_id, now, timeout_seconds=5)
        if recorded.outcome == "conflict":
            await self.store.name_reason(ask, reason, timeout_seconds=5)
        if recorded.outcome != "new":
            return
        state = RequestState.DECLINED
        verdict = Verdict(request_id, state, reason, now, 0, [], {})
        await self.store.write(verdict, timeout_seconds=5)
