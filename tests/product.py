"""The whole product for one test: real PostgreSQL, the sandbox and the application over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
from sqlalchemy import select, text

from app.asgi import create_app
from app.config import Settings, from_mapping
from app.domain.issuing.authorize import Authorizer
from app.domain.issuing.models import Authorization, AuthorizationRequest
from app.jobs.worker import work
from app.parts import Parts
from app.webhooks.models import EventState, InboundEvent
from app.webhooks.reading import REQUEST_TYPE
from stripe_sandbox.asgi import create_sandbox
from tests.conformance.recorder import Recorder
from tests.serving import free_port, serving_app
from tests.waiting import until

AUTHORIZATION_SECRET = "whsec_authorizations_of_the_tests"
EVENTS_SECRET_FOR_SIGNING = "whsec_events_signed_by_the_tests"
KEPT_EVENTS = "SELECT stripe_event_id FROM inbound_event"


class Product:
    """A running product, and the ways a test looks into it."""

    def __init__(
        self, settings: Settings, stripe: httpx.AsyncClient, web: httpx.AsyncClient, app: Any
    ) -> None:
        self.settings = settings
        self.stripe = stripe
        self.web = web
        self.app = app

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

    async def settled(self, seconds: float = 20) -> None:
        """Wait until every event is processed, every outcome certain and every purchase settled."""

        async def quiet() -> bool:
            # First: an event that comes while the rest is looked at would else go unseen.
            if not await self._delivered():
                return False
            async with self.parts.sessions() as session:
                waiting = await session.scalar(
                    select(AuthorizationRequest.id)
                    .where(AuthorizationRequest.verified_at.is_(None))
                    .limit(1)
                )
                events = await session.scalar(
                    select(InboundEvent.id)
                    .where(InboundEvent.state == EventState.RECEIVED)
                    .limit(1)
                )
                settling = await session.scalar(
                    select(Authorization.id).where(Authorization.leased_until.is_not(None)).limit(1)
                )
            return waiting is None and events is None and settling is None

        await until(quiet, seconds=seconds, why="events processed and requests verified")

    async def _delivered(self) -> bool:
        events = (await self.call("GET", "/v1/events", limit=100))["data"]
        kept = {row["stripe_event_id"] for row in await self.rows(KEPT_EVENTS)}
        return all(e["id"] in kept or e["type"] == REQUEST_TYPE for e in events)

    async def as_owner(self, statement: str) -> None:
        """Change the schema, as only the owner may."""
        connection = await asyncpg.connect(self.settings.owner_url)
        await connection.execute(statement)
        await connection.close()

    async def rows(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        async with self.parts.sessions() as session:
            found = await session.execute(text(statement), values)
            return [dict(row) for row in found.mappings()]


@asynccontextmanager
async def running_product(
    database_url: str, owner_url: str, recorder: Recorder, **settings: str
) -> AsyncIterator[Product]:
    """Start sandbox, application and worker on free ports, joined by webhooks; stop them after."""
    sandbox, port = create_sandbox(record=recorder), free_port()
    async with serving_app(sandbox, stop=sandbox.stop) as stripe_url:
        headers = {"Authorization": "Bearer sk_test_product"}
        async with httpx.AsyncClient(base_url=stripe_url, headers=headers, timeout=30) as stripe:
            events_secret = await _join(stripe, f"http://127.0.0.1:{port}")
            given = {
                "DATABASE_URL": database_url,
                "DATABASE_OWNER_URL": owner_url,
                "STRIPE_SECRET_KEY": "sk_test_product",
                "STRIPE_API_BASE": stripe_url,
                "STRIPE_AUTHORIZATION_WEBHOOK_SECRET": AUTHORIZATION_SECRET,
                "STRIPE_EVENTS_WEBHOOK_SECRET": f"{events_secret},{EVENTS_SECRET_FOR_SIGNING}",
                "SECRET_KEY": "a secret key of the tests, long enough",
                "APP_URL": f"http://127.0.0.1:{port}",
                "REPAIR_WAIT_SECONDS": "1.5",
            }
            configured = from_mapping(given | settings)
            app = create_app(configured)
            async with (
                serving_app(app, port) as app_url,
                _working(configured),
                httpx.AsyncClient(base_url=app_url, timeout=30) as web,
            ):
                yield Product(configured, stripe, web, app)
        recorder.events_of(sandbox.world)


async def _join(stripe: httpx.AsyncClient, app_url: str) -> str:
    """Tell the sandbox where the product's webhooks are; give the events endpoint's secret."""
    await stripe.post("/_sandbox/reset", json={})
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
