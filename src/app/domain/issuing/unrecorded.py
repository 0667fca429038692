"""Declines that were answered without the database, written down as soon as there is time."""

import asyncio

import structlog
from uuid_utils.compat import uuid7

from app.clock import Clock
from app.domain.issuing.asking import Ask
from app.domain.issuing.decision_store import DecisionStore, Written
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.states import RequestState

log = structlog.get_logger()

AT_MOST = 1_000
WITHIN_SECONDS = 5
TRIES = 60
TRY_AGAIN_AFTER_SECONDS = 1.0


class Unrecorded:
    """A bounded queue of declines, and the task that empties it."""

    def __init__(self, store: DecisionStore, clock: Clock) -> None:
        self.store = store
        self.clock = clock
        self.waiting: asyncio.Queue[tuple[Ask, DeclineReason]] = asyncio.Queue(AT_MOST)

    def add(self, ask: Ask, reason: DeclineReason) -> None:
        """Have a decline written down, unless its row is there already."""
        try:
            self.waiting.put_nowait((ask, reason))
        except asyncio.QueueFull:
            # Stripe's own event about the authorization will still bring it into our tables.
            log.warning("decline_not_queued", authorization=ask.authorization)

    async def keep_recording(self) -> None:
        """Write them down, one after another, for as long as the process runs."""
        while True:
            ask, reason = await self.waiting.get()
            for _ in range(TRIES):
                try:
                    await self._record(ask, reason)
                except Exception:
                    # Most often the database is away, and that is why the decline is here.
                    log.exception("decline_not_recorded", authorization=ask.authorization)
                    await asyncio.sleep(TRY_AGAIN_AFTER_SECONDS)
                else:
                    break

    async def _record(self, ask: Ask, reason: DeclineReason) -> None:
        request_id = uuid7()
        now = self.clock.now()
        recorded = await self.store.record(ask, request_id, now, [], WITHIN_SECONDS)
        if recorded.outcome == "conflict":
            await self.store.name_reason(ask, reason, WITHIN_SECONDS)
        if recorded.outcome != "new":
            return
        written = Written(request_id, RequestState.DECLINED, reason, now, 0, 0, [], {})
        await self.store.write(written, WITHIN_SECONDS)
