"""The whole product for one test: real PostgreSQL, the sandbox and the application over HTTP."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import islice
from typing import Any

import asyncpg
import httpx
from litestar import Litestar
from sqlalchemy import case, exists, func, or_, select, text

from app.asgi import create_app
from app.config import Settings, from_mapping
from app.domain.issuing.authorize import Authorizer
from app.domain.issuing.mirror_models import MirrorOrder
from app.domain.issuing.models import Authorization, AuthorizationRequest
from app.jobs.worker import work
from app.parts import Parts
from app.webhooks.models import EventState, InboundEvent
from app.webhooks.reading import REQUEST_TYPE
from stripe_sandbox.asgi import Sandbox, create_sandbox
from tests.conformance.recorder import Recorder
from tests.serving import free_port, http_client, serving_app
from tests.waiting import until

AUTHORIZATION_SECRET = "whsec_authorizations_of_the_tests"
EVENTS_SECRET_FOR_SIGNING = "whsec_events_signed_by_the_tests"
KEPT_EVENTS = "SELECT stripe_event_id FROM inbound_event"
LATEST_EVENTS = 100
STRIPE_WAITS_SECONDS = 2.0
Working = Callable[[Settings], AbstractAsyncContextManager[None]]
_UNDER_WAY = or_(
    exists().where(AuthorizationRequest.verified_at.is_(None)),
    exists().where(InboundEvent.state == EventState.RECEIVED),
    exists().where(Authorization.leased_until.is_not(None)),
    exists().where(MirrorOrder.sent_at.is_(None), MirrorOrder.next_at.is_not(None)),
)
_CLOSED: dict[tuple[str, str, bool], list[Litestar]] = defaultdict(list)
_KEPT = select(func.array_agg(InboundEvent.stripe_event_id)).scalar_subquery()
_STANDING = select(case((_UNDER_WAY, None), else_=func.coalesce(_KEPT, text("'{}'"))).label("kept"))
"""In one statement, because a test asks it again and again while it waits."""


class Product:
    """A running product, and the ways a test looks into it.

    `app` and `sandbox` are there where they run in this process.
    """

    def __init__(
        self,
        settings: Settings,
        stripe: httpx.AsyncClient,
        web: httpx.AsyncClient,
        app: Any,
        sandbox: Sandbox | None = None,
    ) -> None:
        self.settings = settings
        self.stripe = stripe
        self.web = web
        self.app = app
        self.sandbox = sandbox

    @property
    def parts(self) -> Parts:
        found: Parts = self.app.state.parts
        return found

    @property
    def authorizer(self) -> Authorizer:
        found: Authorizer = self.app.state.authorizer
        return found

    async def call(self, method: str, path: str, **form: Any) -> dict[str, Any]:
        """Call Stripe's interface as a merchant or a checker would: not through our adapter."""
        data = {name: str(value) for name, value in form.items()}
        given = {"params": data} if method == "GET" else {"data": data}
        response = await self.stripe.request(method, path, **given)  # type: ignore[arg-type]
        found: dict[str, Any] = response.json()
        return found

    async def control(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Use the sandbox's own controls: faults, clock, settings."""
        response = await self.stripe.post(f"/_sandbox/{path}", json=body)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    async def settled(self, seconds: float = 60) -> None:
        """Wait until every event is processed, every outcome certain and every purchase settled."""

        async def quiet() -> bool:
            # First: an event that comes while the rest is looked at would else go unseen.
            told = await self._latest_events()
            async with self.parts.sessions() as session:
                kept = await session.scalar(_STANDING)
            return kept is not None and told <= set(kept) and await self._matched()

        await until(quiet, seconds=seconds, why="events processed and requests verified")

    async def _latest_events(self) -> set[str]:
        """Give the names of the latest events that Stripe tells the product of.

        A sandbox in this process is looked into: asked over HTTP, as often as a test that waits
        does it, most of the time would go into holding each answer to Stripe's schema.
        """
        if self.sandbox is not None:
            kept = islice(self.sandbox.world.store.newest_first("event"), LATEST_EVENTS)
            return {event.id for event in kept if event.type != REQUEST_TYPE}
        listed = (await self.call("GET", "/v1/events", limit=LATEST_EVENTS))["data"]
        return {event["id"] for event in listed if event["type"] != REQUEST_TYPE}

    async def _matched(self) -> bool:
        """Whether all that moved money is in the books, where the job that sees to it runs."""
        if self.settings.balance_every_seconds > 1:
            return True
        told = await self.call("GET", "/v1/balance_transactions", limit=1)
        newest = told["data"][0]["id"]
        row = (
            "SELECT 1 FROM balance_transaction WHERE stripe_balance_transaction_id = :newest"
            " AND NOT EXISTS (SELECT FROM balance_transaction WHERE journal_reference IS NULL)"
        )
        return bool(await self.rows(row, newest=newest))

    async def as_owner(self, statement: str) -> None:
        """Change the schema, as only the owner may."""
        connection = await asyncpg.connect(self.settings.owner_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        async with self.parts.sessions() as session:
            found = await session.execute(text(statement), values)
            return [dict(row) for row in found.mappings()]


@asynccontextmanager
async def running_product(
    database_url: str,
    owner_url: str,
    recorder: Recorder,
    working: Working | None = None,
    begins: Mapping[str, int] | None = None,
    **settings: str,
) -> AsyncIterator[Product]:
    """Start sandbox, application and worker on free ports, joined by webhooks; stop them after.

    `working` runs the worker where a test wants it to run otherwise than in its own event loop.
    `begins` says from when on there is a sandbox, and with what Issuing balance.
    """
    sandbox, port = create_sandbox(record=recorder), free_port()
    async with serving_app(sandbox, stop=sandbox.stop) as stripe_url:
        headers = {"Authorization": "Bearer sk_test_product"}
        async with http_client(stripe_url, headers=headers, timeout=30) as stripe:
            events_secret = await _join(stripe, f"http://127.0.0.1:{port}", begins or {})
            patience = float(settings.get("DECISION_PATIENCE", "1"))
            waits = {"authorization_seconds": STRIPE_WAITS_SECONDS * patience}
            await stripe.post("/_sandbox/settings", json=waits)
            given = {
                "DATABASE_URL": database_url,
                "DATABASE_OWNER_URL": owner_url,
                "STRIPE_SECRET_KEY": "sk_test_product",
                "STRIPE_PUBLISHABLE_KEY": "pk_test_product",
                "STRIPE_API_BASE": stripe_url,
                "STRIPE_JS_URL": f"{stripe_url}/_sandbox/stripe.js",
                "STRIPE_AUTHORIZATION_WEBHOOK_SECRET": AUTHORIZATION_SECRET,
                "STRIPE_EVENTS_WEBHOOK_SECRET": f"{events_secret},{EVENTS_SECRET_FOR_SIGNING}",
                "SECRET_KEY": "a secret key of the tests, long enough",
                "APP_URL": f"http://127.0.0.1:{port}",
                "REPAIR_WAIT_SECONDS": "1.5",
                "BALANCE_EVERY_SECONDS": "0.3",
            }
            configured = from_mapping(given | settings)
            async with (
                _application(configured) as app,
                serving_app(app, port) as app_url,
                (working or _working)(configured),
                http_client(app_url, timeout=30) as web,
            ):
                yield Product(configured, stripe, web, app, sandbox)
        recorder.events_of(sandbox.world)


@asynccontextmanager
async def _application(configured: Settings) -> AsyncIterator[Litestar]:
    """Lend an application that one product after another opens with its own settings.

    To make one anew takes a tenth of a second, nearly all of it for naming its addresses.
    """
    alike = (configured.otel_exporter_otlp_endpoint, configured.trusted_proxies, configured.https)
    app = _CLOSED[alike].pop() if _CLOSED[alike] else create_app(configured)
    app.state.settings = configured
    yield app
    if not configured.otel_exporter_otlp_endpoint:  # whose connection is closed for good
        _CLOSED[alike].append(app)


async def _join(stripe: httpx.AsyncClient, app_url: str, begins: Mapping[str, int]) -> str:
    """Tell the sandbox where the product's webhooks are; give the events endpoint's secret."""
    await stripe.post("/_sandbox/reset", json=dict(begins))
    endpoint = await stripe.post(
        "/v1/webhook_endpoints",
        data={
            "url": f"{app_url}/webhooks/stripe/events",
            "enabled_events[]": "*",
            "api_version": "2026-10-28.endive",
        },
    )
    await stripe.post(
        "/_sandbox/settings",
        json={
            "authorization_webhook_url": f"{app_url}/webhooks/stripe/authorizations",
            "authorization_webhook_secret": AUTHORIZATION_SECRET,
        },
    )
    secret: str = endpoint.json()["secret"]
    return secret


@asynccontextmanager
async def _working(settings: Settings) -> AsyncIterator[None]:
    stop = asyncio.Event()
    working = asyncio.create_task(work(settings, stop))
    try:
        yield
    finally:
        stop.set()
        await working
