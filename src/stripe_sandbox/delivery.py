"""Events on their way to the product: signed, at least once, and each attempt on record."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import Any

import aiohttp
import msgspec
import stripe

from stripe_sandbox.event_faults import EventFaults
from stripe_sandbox.events import REAL_TIME, StoredEvent
from stripe_sandbox.ids import new_id
from stripe_sandbox.store import Store

# Stripe retries for three days with growing pauses (https://docs.stripe.com/webhooks); the first
# ones are short here, so that a restarted product need not be waited for.
FIRST_PAUSES_SECONDS = (1, 5, 30)
LATER_PAUSE_SECONDS = 300
GIVES_UP_AFTER_SECONDS = 3 * 24 * 3600
TIMEOUT_SECONDS = 10.0
AT_ONCE = 16
LONGEST_ANSWER = 64 * 1024
SHOWN_OF_ANSWER = 2048
# Shorter than any server keeps an idle connection, so that none is used as it is being closed.
IDLE_CONNECTION_SECONDS = 4

WAITING = "sandbox.waiting"
# Lost, or given up after three days.
UNDELIVERED = "sandbox.undelivered"
RECORDED = "sandbox.delivery"


class Outcome(msgspec.Struct, frozen=True):
    """What came of one POST: an answer, or the error in its place."""

    duration_ms: float
    status: int | None = None
    headers: dict[str, str] = {}
    body: bytes = b""
    error: str | None = None
    timed_out: bool = False


class Delivery(msgspec.Struct):
    """One attempt to deliver one event. `at` is real time in Unix seconds.

    Real-time requests are recorded here too; for them `approved` and `reason` say what came of it.
    """

    id: str
    url: str
    event_id: str
    type: str
    object_id: str
    attempt: int
    at: float
    duration_ms: float
    status: int | None = None
    error: str | None = None
    response_body: str = ""
    approved: bool | None = None
    reason: str | None = None


class Deliveries:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.faults = EventFaults()
        self.tasks: set[asyncio.Task[None]] = set()
        self.slots = asyncio.Semaphore(AT_ONCE)
        self.session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the connections and take up what an earlier process left waiting."""
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_CONNECTION_SECONDS)
        self.session = aiohttp.ClientSession(
            connector=connector, auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()
        )
        for waiting in list(self.store.objects.get(WAITING, {}).values()):
            if not waiting.get("held"):
                self._begin(waiting)

    async def close(self) -> None:
        self.stop()
        if self.session is not None:
            await self.session.close()

    def stop(self) -> None:
        """Stop every attempt under way or planned. What waits is still kept."""
        for task in self.tasks:
            task.cancel()
        self.tasks.clear()

    def endpoints_for(self, type_: str) -> list[dict[str, Any]]:
        """The webhook endpoints that are sent events of a type."""
        if type_ == REAL_TIME:
            return []
        return [
            endpoint
            for endpoint in self.store.objects.get("webhook_endpoint", {}).values()
            if endpoint["status"] == "enabled"
            and ("*" in endpoint["enabled_events"] or type_ in endpoint["enabled_events"])
        ]

    def send(self, event: StoredEvent, endpoints: Sequence[dict[str, Any]]) -> None:
        """Deliver an event to endpoints, until each accepts it or three days have gone.

        Faults may lose it, hold it back until it is released, or have it sent more than once.
        """
        if not endpoints:
            return
        fate = self.faults.fate_of(event.id, event.type)
        for endpoint in endpoints:
            for copy in range(1 + fate.copies):
                waiting = _waiting(event, endpoint, copy, is_held=fate.is_held)
                if fate.is_lost:
                    self.store.put(UNDELIVERED, waiting["id"], waiting)
                    continue
                self.store.put(WAITING, waiting["id"], waiting)
                if self.session is not None and not fate.is_held:
                    self._begin(waiting)

    def undelivered(self) -> set[str]:
        """The ids of the events that some endpoint has not accepted."""
        kinds = (WAITING, UNDELIVERED)
        return {one["event"] for kind in kinds for one in self.store.objects.get(kind, {}).values()}

    def held_back(self) -> list[dict[str, Any]]:
        """The deliveries that a fault holds back, in the order the events happened."""
        return [one for one in self.store.objects.get(WAITING, {}).values() if one.get("held")]

    async def release(self, held: Sequence[dict[str, Any]]) -> None:
        """Try these deliveries once each, one after another; who refuses is tried again later."""
        for waiting in held:
            waiting["held"] = False
            self.store.put(WAITING, waiting["id"], waiting)
        task = asyncio.get_running_loop().create_task(self._deliver_in_turn(held))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        # Who asked may give up waiting; the deliveries go on.
        await asyncio.shield(task)

    def recorded(self) -> Iterator[Delivery]:
        """The attempts on record, newest first."""
        return self.store.newest_first(RECORDED)

    def record(self, event: StoredEvent, url: str, outcome: Outcome, attempt: int) -> Delivery:
        """Put one attempt on record."""
        delivery = Delivery(
            id=new_id("delivery"),
            url=url,
            event_id=event.id,
            type=event.type,
            object_id=event.object_id,
            attempt=attempt,
            at=time.time() - outcome.duration_ms / 1000,
            duration_ms=round(outcome.duration_ms, 2),
            status=outcome.status,
            error=outcome.error,
            response_body=outcome.body[:SHOWN_OF_ANSWER].decode(errors="replace"),
        )
        self.store.put(RECORDED, delivery.id, delivery)
        return delivery

    async def post(
        self, url: str, secret: str, body: bytes, *, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> Outcome:
        """POST a signed body and read what is answered within the time, measured from here."""
        assert self.session is not None, "the deliveries were not started"
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": signature(body, secret),
        }
        began = time.monotonic()
        try:
            async with (
                asyncio.timeout(timeout_seconds),
                self.session.post(
                    url, data=body, headers=headers, allow_redirects=False
                ) as response,
            ):
                answer = await _read(response)
                return Outcome(
                    duration_ms=_ms_since(began),
                    status=response.status,
                    headers={name.lower(): value for name, value in response.headers.items()},
                    body=answer,
                )
        except TimeoutError:
            error = f"no answer within {timeout_seconds:g} s"
            return Outcome(duration_ms=_ms_since(began), error=error, timed_out=True)
        except (aiohttp.ClientError, OSError, ValueError) as failure:
            return Outcome(duration_ms=_ms_since(began), error=repr(failure))

    def _begin(self, waiting: dict[str, Any]) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(waiting))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _deliver(self, waiting: dict[str, Any]) -> None:
        """Try until the event is accepted, its endpoint is gone, or three days are over."""
        while True:
            await asyncio.sleep(max(0.0, waiting["next_at"] - time.time()))
            if await self._is_done_after_attempt(waiting):
                return

    async def _deliver_in_turn(self, held: Sequence[dict[str, Any]]) -> None:
        for waiting in held:
            if not await self._is_done_after_attempt(waiting):
                self._begin(waiting)

    async def _is_done_after_attempt(self, waiting: dict[str, Any]) -> bool:
        """Try once, and note when to try again unless nothing is left to do."""
        async with self.slots:
            is_over = await self._attempt(waiting)
        now = time.time()
        if is_over or now > waiting["first_at"] + GIVES_UP_AFTER_SECONDS:
            self.store.remove(WAITING, waiting["id"])
            if not is_over:
                self.store.put(UNDELIVERED, waiting["id"], waiting)
            return True
        waiting["next_at"] = now + _pause(waiting["attempts"])
        self.store.put(WAITING, waiting["id"], waiting)
        return False

    async def _attempt(self, waiting: dict[str, Any]) -> bool:
        """Post once, and say whether nothing is left to do."""
        event = self.store.get("event", waiting["event"])
        endpoint = self.store.get("webhook_endpoint", waiting["endpoint"])
        secret = self.store.get("sandbox.endpoint_secret", f"secret:{waiting['endpoint']}")
        if event is None or endpoint is None or secret is None or endpoint["status"] != "enabled":
            return True
        waiting["attempts"] += 1
        outcome = await self.post(endpoint["url"], secret["secret"], bytes(event.body))
        self.record(event, endpoint["url"], outcome, waiting["attempts"])
        return outcome.status is not None and outcome.status // 100 == 2  # noqa: PLR2004  2xx


def _waiting(
    event: StoredEvent, endpoint: dict[str, Any], copy: int, *, is_held: bool
) -> dict[str, Any]:
    """A delivery that is to be made; `copy` tells apart those that a fault has doubled."""
    now = time.time()
    return {
        "id": f"{event.id}:{endpoint['id']}" + (f":{copy}" if copy else ""),
        "event": event.id,
        "endpoint": endpoint["id"],
        "held": is_held,
        "attempts": 0,
        "first_at": now,
        "next_at": now,
    }


def signature(body: bytes, secret: str) -> str:
    """The `Stripe-Signature` of a body, made now in real time."""
    header: str = stripe.WebhookSignature.generate_signature_header(body.decode(), secret)
    return header


async def _read(response: aiohttp.ClientResponse) -> bytes:
    try:
        return await response.content.readexactly(LONGEST_ANSWER)
    except asyncio.IncompleteReadError as whole:
        return whole.partial


def _pause(attempts: int) -> float:
    pauses = FIRST_PAUSES_SECONDS
    return pauses[attempts - 1] if attempts <= len(pauses) else LATER_PAUSE_SECONDS


def _ms_since(began: float) -> float:
    return (time.monotonic() - began) * 1000
