"""Factories for what runs beside it all."""

from polyfactory import Use
from polyfactory.factories.sqlalchemy_factory import SQLAlchemyFactory

from app.heartbeat import Heartbeat
from app.regular_job import RegularJob
from app.webhooks.models import EventState, InboundEvent
from tests.factories.base import TableFactory, named, nothing_told, now


class InboundEventFactory(TableFactory[InboundEvent]):
    stripe_event_id = named("evt")
    occurred_at = Use(now)
    payload = Use(nothing_told)
    state = EventState.RECEIVED
    attempts = 0
    failure = None
    processed_at = None


class RegularJobFactory(SQLAlchemyFactory[RegularJob]):
    name = named("job")
    next_at = Use(now)
    failed = False


class HeartbeatFactory(TableFactory[Heartbeat]):
    beaten_at = Use(now)
