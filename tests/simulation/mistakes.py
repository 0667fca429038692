"""Mistakes planted in the product, which the simulation must find."""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec

from app.domain.funding.charges import ChargeOrder, ChargeOutcome, FundingProcessor
from app.domain.issuing.asking import Ask
from app.domain.issuing.decision_store import RECORD, WRITE, DecisionStore, Recorded
from app.domain.issuing.rules import Window


class RandomKeys:
    """Charges with a new key each time, so that nothing at Stripe keeps it from happening twice."""

    def __init__(self, processor: FundingProcessor) -> None:
        self.processor = processor

    async def charge(self, order: ChargeOrder, *, timeout_seconds: float) -> ChargeOutcome:
        order = msgspec.structs.replace(order, key=str(uuid4()))
        return await self.processor.charge(order, timeout_seconds=timeout_seconds)


class EveryDeliveryIsNew(DecisionStore):
    """Has a second delivery decided as if it were the first."""

    first: dict[str, Recorded] = {}

    async def record(
        self,
        ask: Ask,
        request_id: UUID,
        now: datetime,
        windows: Sequence[Window],
        timeout_seconds: float,
        *,
        began: float = math.inf,
    ) -> Recorded:
        recorded = await super().record(ask, request_id, now, windows, timeout_seconds, began=began)
        if recorded.outcome == "replay":
            return self.first.get(ask.card, recorded)
        return self.first.setdefault(ask.card, recorded)


class RecordsAfterwards(DecisionStore):
    """Finds the facts, and leaves nothing in the database before the answer is written."""

    forgotten: tuple[Any, ...] = ()

    async def _one(
        self, statement: str, within: float, *arguments: Any, began: float = math.inf
    ) -> Any:
        if statement == RECORD:
            self.forgotten = arguments
            async with self.connections.pool.acquire() as connection:
                transaction = connection.transaction()
                await transaction.start()
                found = await connection.fetchval(statement, *arguments)
                await transaction.rollback()
            return found
        if statement == WRITE:
            await super()._one(RECORD, within, *self.forgotten)
        return await super()._one(statement, within, *arguments, began=began)
