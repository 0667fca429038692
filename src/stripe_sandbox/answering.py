"""What a request gets: the whole way from a decoded request to the bytes of its answer."""

import asyncio
import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from stripe_sandbox.errors import StripeError
from stripe_sandbox.events import API_VERSION, Cause, cause
from stripe_sandbox.expanding import expand
from stripe_sandbox.faults import LONGEST_HANG_SECONDS, Fault, is_json
from stripe_sandbox.idempotency import fingerprint
from stripe_sandbox.ids import new_id
from stripe_sandbox.parameters import check
from stripe_sandbox.routing import Call, Route, Router
from stripe_sandbox.wire import Pairs, nest, read_pairs
from stripe_sandbox.world import World


class ConnectionDropped(Exception):
    """The client is to see its connection close without an answer."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came in; header names are in lower case."""

    method: str
    path: str
    query: bytes
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Exchange:
    """One finished request to Stripe's interface, for those who check conformance."""

    method: str
    template: str
    params: dict[str, Any]
    pairs: Pairs
    status: int
    response: Any


@dataclass(slots=True)
class _Work:
    """What is known of a request while it is answered."""

    asked: Asked
    request_id: str
    pairs: Pairs
    route: Route
    path: dict[str, str]
    params: dict[str, Any]
    key: str | None = None
    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    replayed: bool = False
    ran: bool = False


class Interface:
    """Stripe's interface over one world."""

    def __init__(
        self, world: World, router: Router[Route], record: Callable[[Exchange], None] | None
    ) -> None:
        self.world = world
        self.router = router
        self.record = record

    async def answer(self, asked: Asked) -> Answer:
        """Answer a request under `/v1`, or raise `ConnectionDropped`."""
        request_id = new_id("req")
        latency_ms = self.world.settings.latency_ms
        if latency_ms:
            await asyncio.sleep(latency_ms / 1000)
        try:
            work = self._begin(asked, request_id)
        except StripeError as error:
            body = msgspec.json.encode(error.body(request_id))
            return Answer(error.status, body, self._headers(asked, request_id))
        await self._with_faults(work)
        if self.record is not None:
            self._report(work)
        headers = self._headers(asked, request_id) | {"Content-Type": work.content_type}
        if work.key is not None:
            headers["Idempotency-Key"] = work.key
        if work.replayed:
            headers["Idempotent-Replayed"] = "true"
        return Answer(work.status, work.body, headers)

    def _begin(self, asked: Asked, request_id: str) -> _Work:
        """Check the key, and find the route and the parameters as text."""
        _authenticate(asked.headers.get("authorization"))
        found = self.router.find(asked.method, asked.path)
        if found is None:
            raise StripeError(
                f"Unrecognized request URL ({asked.method}: {asked.path}). Please see "
                "https://stripe.com/docs or we can help at https://support.stripe.com/.",
                status=404,
            )
        route, path = found
        pairs = read_pairs(asked.query)
        if asked.method == "POST":
            pairs += read_pairs(asked.body)
        key = asked.headers.get("idempotency-key") if asked.method == "POST" else None
        return _Work(asked, request_id, pairs, route, path, {}, key)

    async def _with_faults(self, work: _Work) -> None:
        fault = self.world.faults.fire(work.asked.method, work.asked.path, work.route.template)
        if fault is None:
            await self._once(work, None)
            return
        if fault.runs_first():
            await self._once(work, fault)
        await self._spoil(work, fault)

    async def _spoil(self, work: _Work, fault: Fault) -> None:
        """Do what a fault says, before the operation or after it."""
        match fault.action:
            case "drop_before" | "drop_after":
                raise ConnectionDropped
            case "hang":
                await self.world.wait(LONGEST_HANG_SECONDS)
                raise ConnectionDropped
            case "delay":
                if fault.after_effect:
                    await self.world.wait(fault.delay_ms / 1000)
                else:
                    await self._once(work, fault)
            case "status":
                if not fault.after_effect:
                    await self._once(work, fault)
                work.status, work.body = fault.status, fault.shown_body(work.request_id)
                work.replayed = False
                if not is_json(work.body):
                    work.content_type = "text/html"

    async def _once(self, work: _Work, fault: Fault | None) -> None:
        """Answer from the kept answers, or run the operation and keep what it answers.

        An answer that a fault gives in Stripe's name (a 500 in JSON) is what is kept; one that
        was lost or garbled on the way leaves the true one.
        """
        answers = self.world.answers
        if work.key is None:
            await self._run(work, fault)
            return
        try:
            print_ = fingerprint(work.asked.method, work.asked.path, work.pairs)
            kept = answers.begin(work.key, print_)
        except StripeError as error:
            work.status, work.body = error.status, msgspec.json.encode(error.body(work.request_id))
            return
        if kept is not None:
            work.status, work.body, work.replayed = kept.status, kept.body, True
            return
        try:
            await self._run(work, fault)
            if fault is not None and fault.speaks_for_stripe():
                answers.keep(work.key, fault.status, fault.shown_body(work.request_id))
            elif work.ran:
                answers.keep(work.key, work.status, work.body)
        finally:
            answers.end(work.key)

    async def _run(self, work: _Work, fault: Fault | None) -> None:
        """Check the parameters and run the operation, unless a fault stands in its place."""
        try:
            work.params = check(work.route.params, nest(work.pairs))
            if fault is not None and not fault.runs_first():
                if fault.action != "delay":
                    return
                # The key is taken by now: who tries again meanwhile learns that it is in use.
                await self.world.wait(fault.delay_ms / 1000)
            work.ran = True
            cause.set(Cause(work.request_id, work.key))
            call = Call(
                world=self.world,
                params={name: value for name, value in work.params.items() if name != "expand"},
                path=work.path,
                url=work.asked.path,
                request_id=work.request_id,
                idempotency_key=work.key,
                stripe_version=work.asked.headers.get("stripe-version"),
            )
            result = await work.route.operation(call)
            shown = self._shown(result, work.params.get("expand") or ())
            work.status, work.body = 200, msgspec.json.encode(shown)
        except StripeError as error:
            work.status, work.body = error.status, msgspec.json.encode(error.body(work.request_id))

    def _shown(self, result: dict[str, Any], paths: Any) -> dict[str, Any]:
        world = self.world
        if result.get("object") == "list":
            shown = result | {"data": [world.present(item) for item in result["data"]]}
        else:
            shown = world.present(result)
        return expand(world, shown, paths) if paths else shown

    def _headers(self, asked: Asked, request_id: str) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "Request-Id": request_id,
            "Stripe-Version": asked.headers.get("stripe-version", API_VERSION),
        }

    def _report(self, work: _Work) -> None:
        assert self.record is not None
        response = msgspec.json.decode(work.body) if is_json(work.body) else None
        exchange = Exchange(
            work.asked.method,
            work.route.template,
            work.params,
            work.pairs,
            work.status,
            response,
        )
        self.record(exchange)


def _authenticate(header: str | None) -> None:
    """Take any test key, by Bearer or Basic (https://docs.stripe.com/api/authentication)."""
    key = _key_in(header or "")
    if not key:
        raise StripeError(
            "You did not provide an API key. You need to provide your API key in the Authorization "
            "header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
            status=401,
        )
    if not key.startswith("sk_test_") or not key.isascii():
        raise StripeError(f"Invalid API Key provided: {key[:8]}****", status=401)


def _key_in(header: str) -> str:
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""
