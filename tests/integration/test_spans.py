"""A collector that is named is sent a span for each request, decision and job, and nothing else."""

import sys
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from anyio import run_process
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.product import Product
from tests.serving import free_port
from tests.situations import holder, pay
from tests.waiting import until


class Collector:
    """Takes spans as a collector does, and keeps them by the service that sent them."""

    def __init__(self) -> None:
        self.spans: dict[str, list[Span]] = {}
        self.bodies: list[bytes] = []

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.bodies.append(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            [service] = [a for a in resource.resource.attributes if a.key == "service.name"]
            kept = self.spans.setdefault(service.value.string_value, [])
            kept += [span for scope in resource.scope_spans for span in scope.spans]
        return web.Response()

    def named(self, service: str, name: str) -> list[Span]:
        return [span for span in self.spans.get(service, []) if span.name == name]


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
async def collector(port: int) -> AsyncIterator[Collector]:
    collector, app = Collector(), web.Application()
    app.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    yield collector
    await runner.cleanup()


@pytest.fixture
def product_settings(port: int) -> dict[str, str]:
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}"}


async def test_requests_decisions_and_jobs_are_sent(collector: Collector, product: Product) -> None:
    ada = await holder(product)
    bought = await pay(product, ada.card, 1999)
    await product.settled()
    await until(lambda: bool(collector.named("proxycard", "decision")), why="the decision is sent")
    await until(lambda: bool(collector.named("proxycard-worker", "process_event")))

    [decision] = collector.named("proxycard", "decision")
    told = {each.key: each.value for each in decision.attributes}
    assert told["proxycard.authorization"].string_value == bought["id"]
    assert told["proxycard.approved"].bool_value is True
    parts = [span for span in collector.spans["proxycard"] if span.parent_span_id]
    steps = sorted(
        (span for span in parts if span.parent_span_id == decision.span_id),
        key=lambda span: span.start_time_unix_nano,
    )
    assert [span.name for span in steps][:1] == ["verify"]
    assert {"record", "decide", "hold", "write"} <= {span.name for span in steps}
    assert steps[0].start_time_unix_nano == decision.start_time_unix_nano
    assert steps[-1].end_time_unix_nano <= decision.end_time_unix_nano + 1_000_000

    [request] = collector.named("proxycard", "POST /webhooks/stripe/authorizations")
    told = {each.key: each.value for each in request.attributes}
    assert told["http.response.status_code"].int_value == 200


async def test_nothing_secret_is_sent(collector: Collector, product: Product) -> None:
    ada = await holder(product)
    await pay(product, ada.card, 1999)
    await product.web.get("/health/live?token=a-secret-in-a-query")
    await product.settled()
    await until(lambda: bool(collector.named("proxycard", "GET /health/live")))

    sent = b"".join(collector.bodies)
    secrets = (product.settings.stripe_secret_key, product.settings.secret_key, "a-secret-in")
    assert not [secret for secret in secrets if secret.encode() in sent]
    assert ada.customer.email.encode() not in sent


class TestWithoutACollector:
    """The one that is named is not there."""

    @pytest.fixture
    def product_settings(self) -> dict[str, str]:
        return {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{free_port()}"}

    async def test_purchases_are_answered_all_the_same(self, product: Product) -> None:
        bought = await pay(product, (await holder(product)).card, 1999)
        assert bought["approved"] is True


async def test_what_is_switched_off_is_not_even_loaded() -> None:
    script = "import sys, app.asgi, app.cli; sys.exit('opentelemetry.sdk' in sys.modules)"
    assert (await run_process([sys.executable, "-c", script], check=False)).returncode == 0
