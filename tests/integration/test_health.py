"""What a load balancer, Prometheus and a browser are told."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.product import Product
from tests.situations import holder, pay
from tests.waiting import until

TOKEN = "a token for prometheus"


async def test_a_running_product_is_live_and_ready(product: Product) -> None:
    live = await product.web.get("/health/live")
    ready = await product.web.get("/health/ready")

    assert (live.status_code, ready.status_code) == (200, 200)
    assert live.headers["x-request-id"] != ready.headers["x-request-id"]


async def test_a_product_without_its_database_is_live_and_not_ready(product: Product) -> None:
    await product.as_owner("ALTER TABLE price_plan RENAME TO hidden")

    async def says_why() -> bool:
        # A busy machine may not have asked the database in time, and says that.
        ready = await product.web.get("/health/ready")
        assert ready.status_code == 503
        return bool(ready.json() == {"status": "not ready", "because": "ProgrammingError"})

    await until(says_why, why="it says what is missing")
    assert (await product.web.get("/health/live")).status_code == 200


async def test_every_page_keeps_a_browser_strict(product: Product) -> None:
    page = await product.web.get("/")

    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["x-frame-options"] == "DENY"
    assert "virtual card" in page.text


async def samples(product: Product) -> dict[tuple[object, ...], float]:
    """Scrape: give each value by the metric's name and its labels."""
    told = (await product.web.get("/metrics")).text
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(told)
        for sample in family.samples
    }


class TestMetrics:
    async def test_count_answers_by_reason_and_time_each_step(self, product: Product) -> None:
        before = await samples(product)
        ada = await holder(product, blocked_categories=["fast_food_restaurants"])
        await pay(product, ada.card, 1999)
        bob = await holder(product, email="bob@example.com")
        await pay(product, bob.card, 1999)
        after = await samples(product)

        def rise(name: str, **labels: str) -> float:
            key = (name, *sorted(labels.items()))
            return after.get(key, 0) - before.get(key, 0)

        assert rise("proxycard_answers_total", reason="approved") == 1
        assert rise("proxycard_answers_total", reason="category_not_allowed") == 1
        assert rise("proxycard_decision_step_seconds_count", step="total") == 2
        assert rise("proxycard_decision_step_seconds_count", step="hold") == 1
        assert after["proxycard_charges_in_flight",] == 0
        assert after["proxycard_inbox_age_seconds",] < 60

    async def test_are_not_for_whoever_comes_through_a_proxy(self, product: Product) -> None:
        forwarded = {"X-Forwarded-For": "203.0.113.9"}

        assert (await product.web.get("/metrics", headers=forwarded)).status_code == 403

    @pytest.mark.parametrize("product_settings", [{"METRICS_TOKEN": TOKEN}])
    async def test_want_the_token_where_there_is_one(self, product: Product) -> None:
        right = {"Authorization": f"Bearer {TOKEN}", "X-Forwarded-For": "203.0.113.9"}
        wrong = {b"Authorization": "Bearer é".encode()}

        assert (await product.web.get("/metrics")).status_code == 403
        assert (await product.web.get("/metrics", headers=right)).status_code == 200
        assert (await product.web.get("/metrics", headers=wrong)).status_code == 403
