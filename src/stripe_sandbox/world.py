"""Everything that one sandbox knows, and the few verbs its operations need."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import msgspec

from stripe_sandbox.balances import Balances
from stripe_sandbox.clock import Clock
from stripe_sandbox.delivery import Deliveries, Delivery
from stripe_sandbox.errors import no_such
from stripe_sandbox.events import StoredEvent, make_event
from stripe_sandbox.faults import Faults
from stripe_sandbox.idempotency import KeptAnswer, KeptAnswers
from stripe_sandbox.ids import new_id
from stripe_sandbox.settings import Settings
from stripe_sandbox.store import Store

Object = dict[str, Any]
Presenter = Callable[["World", Object], Object]
ClockHook = Callable[["World"], Awaitable[None]]


class Standing(msgspec.Struct):
    """What outlives a restart beside the objects themselves."""

    offset_seconds: int = 0
    settings: Settings = msgspec.field(default_factory=Settings)


DECODERS: Mapping[str, type[Any]] = {
    "event": StoredEvent,
    "sandbox.delivery": Delivery,
    "sandbox.idempotency": KeptAnswer,
    "sandbox.standing": Standing,
}


class World:
    """One sandbox. `presenters` show objects that are kept in another shape than Stripe's."""

    def __init__(
        self,
        path: Path | None,
        presenters: Mapping[str, Presenter],
        on_clock: Sequence[ClockHook],
    ) -> None:
        self.store = Store(path, DECODERS)
        standing = self.store.get("sandbox.standing", "standing") or Standing()
        self.settings: Settings = standing.settings
        self.clock = Clock(standing.offset_seconds)
        self.balance = Balances(self.store, self.clock)
        self.deliveries = Deliveries(self.store)
        self.faults = Faults()
        self.answers = KeptAnswers(self.store)
        self.locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.stopping = asyncio.Event()
        self.presenters = presenters
        self.on_clock = list(on_clock)
        if not self.store.objects:
            self.balance.open()

    def now(self) -> int:
        """Unix seconds on the sandbox's clock."""
        return self.clock.now()

    def new_id(self, prefix: str) -> str:
        return new_id(prefix)

    def add(self, obj: Object) -> Object:
        """Keep a new object. `object` names its kind and `id` its key."""
        self.store.put(obj["object"], obj["id"], obj)
        return obj

    def save(self, obj: Object) -> Object:
        """Keep an object that was changed."""
        return self.add(obj)

    def get(self, kind: str, object_id: str, *, param: str | None = None) -> Object:
        """Give an object, or raise Stripe's `resource_missing`.

        That is a 404, or a 400 about `param` when the id came as a parameter.
        """
        found = self.store.get(kind, object_id)
        if found is None:
            raise no_such(kind, object_id, param=param)
        return dict_of(found)

    def named(self, object_id: str) -> Object | None:
        """Give whatever object of Stripe's has this id."""
        kind = self.store.kind_of(object_id)
        found = None if kind is None or kind == "event" else self.store.get(kind, object_id)
        return found if isinstance(found, dict) else None

    def find(self, kind: str, **equal: Any) -> Iterator[Object]:
        """Give the objects of a kind, newest first; `customer="cus_…"` and the like narrow it."""
        return self.store.newest_first(kind, **equal)

    def present(self, obj: Object) -> Object:
        """Give an object as Stripe shows it."""
        presenter = self.presenters.get(str(obj.get("object")))
        return obj if presenter is None else presenter(self, obj)

    def emit(self, type_: str, obj: Object, previous: Object | None = None) -> StoredEvent:
        """Record that something happened to an object and tell the endpoints that want to know.

        `previous` holds the changed fields as they were; only `*.updated` events have it.
        """
        endpoints = self.deliveries.endpoints_for(type_)
        event = make_event(
            type_,
            self.present(obj),
            previous,
            created=self.now(),
            pending_webhooks=len(endpoints),
        )
        self.store.put("event", event.id, event)
        self.deliveries.send(event, endpoints)
        return event

    def lock(self, object_id: str) -> asyncio.Lock:
        """The lock of one object, for operations that wait for something in between."""
        return self.locks.setdefault(object_id, asyncio.Lock())

    async def wait(self, seconds: float) -> None:
        """Wait in real time, but no longer than the sandbox lives."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)

    async def clock_moves(self, offset_seconds: int, within: float) -> None:
        """Wait until the clock is not so far ahead, and no longer than the sandbox lives."""
        moved = asyncio.ensure_future(self.clock.moved_from(offset_seconds))
        stopping = asyncio.ensure_future(self.stopping.wait())
        await asyncio.wait((moved, stopping), timeout=within, return_when="FIRST_COMPLETED")
        moved.cancel()
        stopping.cancel()

    async def advance(self, seconds: int) -> None:
        """Move the clock, and let happen what falls due once all who follow it know."""
        await self.clock.advance_with_followers(seconds)
        self.keep_standing()
        await self.run_due()

    async def run_due(self) -> None:
        self.balance.release_pending()
        for hook in self.on_clock:
            await hook(self)

    def keep_standing(self) -> None:
        """Have the settings and the clock outlive a restart."""
        standing = Standing(self.clock.offset_seconds, self.settings)
        self.store.put("sandbox.standing", "standing", standing)

    def reset(self, *, seconds_ago: int = 0, float_minor: int | None = None) -> None:
        """Forget everything and fund the Issuing balance anew, now or at a time that is past.

        Whoever is told of events stays so: a product that runs beside the sandbox stays joined.
        """
        endpoints = list(self.find("webhook_endpoint"))
        self.deliveries.stop()
        self.store.clear()
        self.faults.clear()
        self.deliveries.faults.clear()
        self.settings = Settings(
            authorization_webhook_url=self.settings.authorization_webhook_url,
            authorization_webhook_secret=self.settings.authorization_webhook_secret,
        )
        self.clock.set_offset(-seconds_ago)
        self.balance.open(float_minor)
        for endpoint in reversed(endpoints):
            self.add(endpoint)
        self.keep_standing()


def dict_of(value: Any) -> Object:
    assert isinstance(value, dict)
    return value
