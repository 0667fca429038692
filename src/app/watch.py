"""Looks every second or two whether the database, Stripe and the worker answer, and remembers.

Each web process looks for itself and keeps what it saw in memory, so that it can still be told when
there is no database to read it from.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from enum import StrEnum

import asyncpg
import msgspec
import stripe
import structlog

from app.adapters.stripe_account import StripeAccount
from app.clock import real_time
from app.domain.issuing.authorize import Authorizer
from app.heartbeat import SILENT_AFTER_SECONDS
from app.metrics import IN_FLIGHT, PAUSED, Reading
from app.parts import Parts
from app.readings import LATE_AFTER_SECONDS, Pulse, read_figures, read_pulse, read_spent
from app.scraping import answering, figure_readings, money_readings, pulse_readings

log = structlog.get_logger()

LOOK_EVERY_SECONDS = 1.5
ASK_STRIPE_EVERY_SECONDS = 4.0
ANSWER_WITHIN_SECONDS = 2.0
COUNT_WITHIN_SECONDS = 5.0
SUM_EVERY_SECONDS = 60.0
SUM_WITHIN_SECONDS = 30.0
GONE = (
    *(OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError),
    *(asyncpg.OperatorInterventionError, asyncpg.InsufficientResourcesError),
)
"""How a database says that it is not there: anything else that is raised is a bug."""
_SERVER_ERRORS = 500


class Trouble(StrEnum):
    """What can be wrong, the worst first."""

    DATABASE = "database"
    STRIPE = "stripe"
    STRIPE_KEY = "stripe_key"
    PAUSED = "paused"
    WORKER = "worker"
    LATE = "late"


class Told(msgspec.Struct, frozen=True):
    """A trouble, and since when in real time; None when it was never otherwise."""

    trouble: Trouble
    since: datetime | None


class Watch:
    """What was seen last, and what the decisions of this process are at."""

    def __init__(self, parts: Parts, authorizer: Authorizer | None) -> None:
        self.parts = parts
        self.authorizer = authorizer
        self.account = StripeAccount(parts.stripe.other)
        self.pulse: Pulse | None = None
        self.issuing_minor: int | None = None
        self.spent_minor: int | None = None
        self._since: dict[Trouble, datetime | None] = {}
        self._connection: asyncpg.Connection | None = None

    def troubles(self) -> list[Told]:
        """Give what is wrong now, the worst first."""
        return [Told(each, self._since[each]) for each in Trouble if each in self._since]

    def has(self, trouble: Trouble) -> bool:
        return trouble in self._since

    async def readings(self) -> list[Reading]:
        """Read for a scrape what the whole product has in common; what is not known is left out."""
        self._count()
        stripe_answers = not (self.has(Trouble.STRIPE) or self.has(Trouble.STRIPE_KEY))
        database_answers = not self.has(Trouble.DATABASE)
        told = [
            *answering(database=database_answers, stripe=stripe_answers),
            *money_readings(
                self.issuing_minor, self.spent_minor, self.parts.settings.float_cover_days
            ),
        ]
        if not database_answers:
            return told
        try:
            async with self._connected(COUNT_WITHIN_SECONDS) as connection:
                pulse = await read_pulse(connection, COUNT_WITHIN_SECONDS)
                now = self.parts.clock.now()
                figures = await read_figures(connection, now, COUNT_WITHIN_SECONDS)
        except GONE as error:
            log.warning("figures_not_read", error=type(error).__name__)
            return told
        return [*told, *pulse_readings(pulse), *figure_readings(figures)]

    async def keep_summing(self) -> None:
        """Sum what was spent every minute: over a million purchases, too much for each scrape."""
        while True:
            try:
                async with self._connected(SUM_WITHIN_SECONDS) as connection:
                    now = self.parts.clock.now()
                    self.spent_minor = await read_spent(connection, now, SUM_WITHIN_SECONDS)
            except Exception as error:  # noqa: BLE001  the sum of before stays
                log.warning("spent_not_read", error=type(error).__name__)
            await asyncio.sleep(SUM_EVERY_SECONDS)

    @asynccontextmanager
    async def _connected(self, seconds: float) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(self.parts.settings.database_url, timeout=seconds)
        try:
            yield connection
        finally:
            connection.terminate()

    async def keep_looking(self) -> None:
        """Look at the database, and at what it says of the worker, until canceled."""
        try:
            while True:
                began = time.monotonic()
                await self.look()
                await asyncio.sleep(began + LOOK_EVERY_SECONDS - time.monotonic())
        finally:
            self._hang_up()

    async def look(self) -> None:
        """Look once. What the database alone knows is not known while it is silent."""
        self._count()
        self._note(Trouble.PAUSED, is_there=self._is_paused(), since=real_time())
        try:
            async with asyncio.timeout(ANSWER_WITHIN_SECONDS):
                self.pulse = await self._read_pulse()
        except Exception as error:  # noqa: BLE001  whatever it is, purchases are declined for it
            if not self.has(Trouble.DATABASE):
                log.warning("database_silent", error=type(error).__name__)
            self._hang_up()
            self.pulse = None
            self._note(Trouble.DATABASE, is_there=True, since=real_time())
            for unknown in (Trouble.WORKER, Trouble.LATE):
                self._since.pop(unknown, None)
            return
        self._since.pop(Trouble.DATABASE, None)
        self._judge(self.pulse)

    async def keep_asking_stripe(self) -> None:
        """Ask Stripe for our balance, the cheapest thing that needs all of it, until canceled."""
        while True:
            began = time.monotonic()
            await self.ask_stripe()
            await asyncio.sleep(began + ASK_STRIPE_EVERY_SECONDS - time.monotonic())

    async def ask_stripe(self) -> None:
        """Ask once. An answer that refuses something is an answer; one that blames Stripe is not.

        Source: https://docs.stripe.com/api/errors
        """
        silent = refused = False
        try:
            async with asyncio.timeout(ANSWER_WITHIN_SECONDS):
                answered = await self.account.balance()
                self.issuing_minor = answered.balance.issuing_minor()
        except stripe.AuthenticationError:
            refused = True
        except stripe.StripeError as error:
            silent = error.http_status is None or error.http_status >= _SERVER_ERRORS
        except Exception:  # noqa: BLE001  no connection, no time, or nothing that can be read
            silent = True
        if silent and not self.has(Trouble.STRIPE):
            log.warning("stripe_silent")
        self._note(Trouble.STRIPE, is_there=silent, since=real_time())
        self._note(Trouble.STRIPE_KEY, is_there=refused, since=real_time())

    def _count(self) -> None:
        """Set the gauges of this process; one that is asked for can be no sibling's."""
        IN_FLIGHT.set(self.authorizer.in_flight if self.authorizer else 0)
        PAUSED.set(self._is_paused())

    def _is_paused(self) -> bool:
        """Say whether charging is paused here; where no decisions are made, it never is."""
        return self.authorizer is not None and self.authorizer.breaker.is_open

    def _judge(self, pulse: Pulse) -> None:
        now, age = real_time(), pulse.worker_age
        silent = age is None or age > SILENT_AFTER_SECONDS
        since = None if age is None else now - timedelta(seconds=age)
        self._note(Trouble.WORKER, is_there=silent, since=since)
        late, due = pulse.job_age > LATE_AFTER_SECONDS, now - timedelta(seconds=pulse.job_age)
        self._note(Trouble.LATE, is_there=late, since=due)

    def _note(self, trouble: Trouble, *, is_there: bool, since: datetime | None) -> None:
        """Remember the moment a trouble began, for as long as it lasts."""
        if is_there:
            self._since.setdefault(trouble, since)
        else:
            self._since.pop(trouble, None)

    async def _read_pulse(self) -> Pulse:
        if self._connection is None or self._connection.is_closed():
            url = self.parts.settings.database_url
            self._connection = await asyncpg.connect(url, timeout=ANSWER_WITHIN_SECONDS)
        return await read_pulse(self._connection, ANSWER_WITHIN_SECONDS)

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None


@asynccontextmanager
async def watching(parts: Parts, authorizer: Authorizer | None) -> AsyncIterator[Watch]:
    """Keep watching for as long as the block lasts."""
    watch = Watch(parts, authorizer)
    loops = (watch.keep_looking(), watch.keep_asking_stripe(), watch.keep_summing())
    tasks = [asyncio.create_task(loop) for loop in loops]
    try:
        yield watch
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
