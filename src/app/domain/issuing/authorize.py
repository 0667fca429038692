"""Answer a purchase in time: record it, decide, charge the linked card, write down the answer.

Nothing is ever approved that is not known to be funded. What is not known when time is up is
declined, and left to the repair job, which asks Stripe what became true.
"""

import asyncio
import time
from collections.abc import Callable
from uuid import UUID

import msgspec
import structlog
from uuid_utils.compat import uuid7

from app.clock import Clock
from app.domain.funding.charges import ChargeRecord, FundingProcessor
from app.domain.funding.states import LIVE_CHARGES, ChargeState
from app.domain.issuing.asking import Answer, Ask
from app.domain.issuing.assembling import LIMIT_WINDOWS, House, facts_of, usage_of
from app.domain.issuing.breaker import Breaker
from app.domain.issuing.decision import Decided, Decline, Fund, decide
from app.domain.issuing.decision_store import (
    NO_RULES,
    DecisionStore,
    Recorded,
    Written,
)
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.facts import Facts
from app.domain.issuing.fund import fund
from app.domain.issuing.states import RequestState
from app.domain.issuing.stopwatch import Stopwatch
from app.domain.issuing.unrecorded import Unrecorded
from app.failpoints import Place, reached

log = structlog.get_logger()

# A bank that answers as most do still has time after it.
RECORD_WITHIN_SECONDS = 0.9
LOOK_AGAIN_SECONDS = 0.05


Done = tuple[list[ChargeRecord], DeclineReason | None]


class Authorizer:
    """Answers requests. Holds at most `cap` decisions at once; beyond it, declines untouched.

    `told` is called with the customer whose purchase was answered; it must not take time.
    """

    def __init__(
        self,
        store: DecisionStore,
        processor: FundingProcessor,
        clock: Clock,
        *,
        house: House,
        cap: int,
        told: Callable[[UUID | None], None] = lambda _: None,
    ) -> None:
        self.store = store
        self.processor = processor
        self.clock = clock
        self.house = house
        self.cap = cap
        self.told = told
        self.breaker = Breaker()
        self.rules = NO_RULES
        self.running: dict[str, tuple[Ask, asyncio.Future[Answer]]] = {}
        self.unrecorded = Unrecorded(store, clock)

    @property
    def in_flight(self) -> int:
        return len(self.running)

    async def answer(self, ask: Ask, watch: Stopwatch) -> Answer:
        """Answer before the stopwatch runs out. Never raises: what goes wrong is a decline."""
        if ask.event in self.running:
            return await self._same_as(*self.running[ask.event], ask, watch)
        if self.in_flight >= self.cap:
            return self._untouched(ask, DeclineReason.TOO_BUSY, watch)
        if ask.amount_minor > 0 and not self.breaker.lets_pass(time.monotonic()):
            return self._untouched(ask, DeclineReason.FUNDING_PAUSED, watch)
        result = asyncio.get_running_loop().create_future()
        self.running[ask.event] = ask, result
        answer = Answer(approved=False, reason=DeclineReason.OUR_ERROR)
        try:
            answer = await self._answer_in_time(ask, watch)
        finally:
            del self.running[ask.event]
            result.set_result(answer)
        return answer

    def _untouched(self, ask: Ask, reason: DeclineReason, watch: Stopwatch) -> Answer:
        """Decline at once, without the database, and have it written down afterwards."""
        self.unrecorded.add(ask, reason)
        return Answer(approved=False, reason=reason, step_ms=watch.total())

    async def _answer_in_time(self, ask: Ask, watch: Stopwatch) -> Answer:
        try:
            async with asyncio.timeout(watch.left()):
                return await self._answer(ask, watch)
        except TimeoutError:
            log.warning("answer_too_slow", authorization=ask.authorization)
            return self._untouched(ask, DeclineReason.TOO_SLOW, watch)
        except Exception:
            log.exception("answer_failed", authorization=ask.authorization)
            return self._untouched(ask, DeclineReason.OUR_ERROR, watch)

    async def _answer(self, ask: Ask, watch: Stopwatch) -> Answer:
        request_id = uuid7()
        now = self.clock.now()
        rules = self.rules
        within = watch.at_most(RECORD_WITHIN_SECONDS)
        recorded = await self.store.record(
            ask, request_id, now, rules.windows, within, began=watch.started
        )
        watch.step("record")
        reached(Place.RECORDED)
        if recorded.outcome == "replay":
            return await self._stored_answer(ask, recorded, watch)
        if recorded.outcome == "conflict":
            conflicting = DeclineReason.CONFLICTING
            return Answer(approved=False, reason=conflicting, step_ms=watch.total())
        counted = recorded.usage.windows
        if recorded.rules_version != rules.version:
            rules = self.rules = await self.store.rules(now, watch.left(), began=watch.started)
            more = await self.store.usage(request_id, recorded, now, rules.windows, watch.left())
            counted = [*counted[:LIMIT_WINDOWS], *more]
            watch.step("rules")
        usage = usage_of(recorded.usage, counted, rules.windows)
        facts = facts_of(ask, now, recorded, usage, self.house)
        decided = decide(facts, rules.rules)
        watch.step("decide")
        done = await self._carry_out(ask, decided, watch)
        answer = await self._write(request_id, facts, decided, done, watch)
        self.told(facts.customer.id if facts.customer else None)
        return answer

    async def _carry_out(self, ask: Ask, decided: Decided, watch: Stopwatch) -> Done:
        """Do what was decided; give the attempts to charge, and why none succeeded."""
        match decided.decision:
            case Decline(refusal):
                return [], refusal
            case Fund() as order:
                charges, reason = await fund(self.processor, self.store.mode, ask, order, watch)
                watch.step("hold")
                reached(Place.CHARGED)
                for charge in charges:
                    clear = charge.outcome.state is not ChargeState.UNKNOWN
                    self.breaker.saw(time.monotonic(), clear=clear)
                return charges, reason
            case _:
                return [], None

    async def _write(
        self,
        request_id: UUID,
        facts: Facts,
        decided: Decided,
        done: Done,
        watch: Stopwatch,
    ) -> Answer:
        charges, reason = done
        approved = reason is None
        order = decided.decision
        minor = order.approved_minor if approved and isinstance(order, Fund) else 0
        fee = facts.price.fee_on_top(facts.approved_before_minor, minor) if facts.price else 0
        written = Written(
            request_id,
            RequestState.APPROVED if approved else RequestState.DECLINED,
            reason,
            self.clock.now(),
            minor,
            fee,
            charges,
            watch.total(),
            msgspec.json.encode(facts).decode(),
            msgspec.json.encode(decided.verdicts).decode(),
        )
        if not await self.store.write(written, watch.left(), began=watch.started):
            # Somebody else has settled this request meanwhile: only a decline is safe.
            return Answer(approved=False, reason=DeclineReason.TOO_SLOW, step_ms=watch.total())
        watch.step("write")
        reached(Place.WRITTEN)
        live = next((c for c in charges if c.outcome.state in LIVE_CHARGES), None)
        source = next((s for s in facts.sources if live and s.id == live.funding_source_id), None)
        return Answer(
            approved=approved,
            reason=reason,
            approved_minor=minor if approved and facts.purchase.controllable else None,
            held_minor=live.amount_minor if live else 0,
            source_brand=source.brand if source else None,
            source_last4=source.last4 if source else None,
            step_ms=watch.total(),
        )

    async def _same_as(
        self, known: Ask, first: asyncio.Future[Answer], ask: Ask, watch: Stopwatch
    ) -> Answer:
        """Wait for the first delivery of the same request, and repeat its answer."""
        if ask != known:
            conflicting = DeclineReason.CONFLICTING
            return Answer(approved=False, reason=conflicting, step_ms=watch.total())
        done, _ = await asyncio.wait([first], timeout=watch.left())
        if not done:
            reason = DeclineReason.TOO_SLOW
            return Answer(approved=False, reason=reason, step_ms=watch.total(), replayed=True)
        return msgspec.structs.replace(first.result(), replayed=True)

    async def _stored_answer(self, ask: Ask, recorded: Recorded, watch: Stopwatch) -> Answer:
        """Repeat the stored answer; while another process is still deciding, wait for it."""
        state, minor = recorded.state, recorded.approved_minor
        while state is RequestState.DECIDING:
            await asyncio.sleep(LOOK_AGAIN_SECONDS)
            state, minor = await self.store.answer_to(ask.event, watch.left())
        return Answer(
            approved=state is RequestState.APPROVED,
            approved_minor=minor if ask.controllable and minor else None,
            step_ms=watch.total(),
            replayed=True,
        )
