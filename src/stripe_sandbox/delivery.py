"""Events on their way to the product: signed, at least once, and each attempt on record."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import msgspec
import stripe

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

    def send(self, event: StoredEvent, endpoint: dict[str, Any]) -> None:
        """Deliver an event to an endpoint, until it is accepted or three days have gone."""
        now = time.time()
        waiting = {
            "id": f"{event.id}:{endpoint['id']}",
            "event": event.id,
            "endpoint": endpoint["id"],
            "attempts": 0,
            "first_at": now,
            "next_at": now,
        }
        self.store.put(WAITING, waiting["id"], waiting)
        if self.session is not None:
            self._begin(waiting)

    def is_waiting(self, event_id: str) -> bool:
        """Whether some endpoint has not accepted an event yet."""
        waiting = self.store.objects.get(WAITING, {}).values()
        return any(one["event"] == event_id for one in waiting)

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
            async with self.slots:
                is_over = await self._attempt(waiting)
            now = time.time()
            if is_over or now > waiting["first_at"] + GIVES_UP_AFTER_SECONDS:
                self.store.remove(WAITING, waiting["id"])
                return
            waiting["next_at"] = now + _pause(waiting["attempts"])
            self.store.put(WAITING, waiting["id"], waiting)

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
