"""The alarms: each asks for a metric that there is, and is explained."""

import re
from pathlib import Path

import msgspec
import pytest

from app.domain.issuing.decline_reasons import DeclineReason
from tests.product import Product
from tests.situations import holder, pay

DOCS = Path(__file__).parents[2] / "docs"


class Alert(msgspec.Struct):
    alert: str
    expr: str
    labels: dict[str, str]
    annotations: dict[str, str]


class Group(msgspec.Struct):
    name: str
    rules: list[Alert]


class Rules(msgspec.Struct):
    groups: list[Group]


@pytest.fixture
def alerts() -> list[Alert]:
    rules = msgspec.yaml.decode((DOCS / "alerts.yml").read_bytes(), type=Rules)
    return [alert for group in rules.groups for alert in group.rules]


async def test_every_metric_they_ask_for_is_there(product: Product, alerts: list[Alert]) -> None:
    await pay(product, (await holder(product)).card, 1999)
    await product.web.post("/webhooks/stripe/authorizations", content=b"not Stripe's")
    told = (await product.web.get("/metrics")).text
    there = set(re.findall(r"^(proxycard_\w+)", told, re.MULTILINE))
    asked = {name for alert in alerts for name in re.findall(r"proxycard_\w+", alert.expr)}
    assert len(asked) > 15
    assert asked - there == set()


def test_every_reason_they_ask_for_is_one(alerts: list[Alert]) -> None:
    asked = {
        reason
        for alert in alerts
        for told in re.findall(r'reason=~"([^"]+)"', alert.expr)
        for reason in told.split("|")
    }
    assert asked
    assert asked <= set(DeclineReason)


def test_each_is_explained_in_a_section_of_its_name(alerts: list[Alert]) -> None:
    sections = re.findall(r"^### (\w+)$", (DOCS / "operations.md").read_text(), re.MULTILINE)
    assert sections == [alert.alert for alert in alerts]
    assert all(alert.annotations["summary"] for alert in alerts)
    assert {alert.labels["severity"] for alert in alerts} == {"page", "ticket"}
