"""Every way Stripe can fail to say yes or no to a charge, seen from the till."""

from dataclasses import dataclass
from typing import Any

import pytest

from tests.faults.arming import answer_to, arm, fired, reason_of
from tests.oracle import oracle
from tests.product import Product
from tests.situations import holder, intents, pay

UNKNOWN = "funding_outcome_unknown"


@dataclass(frozen=True)
class Case:
    """What Stripe answers, whether the charge came to be, and the reason staff see."""

    name: str
    fault: dict[str, Any]
    created: bool
    reason: str


def status(code: int, *, created: bool = False, body: str | None = None) -> dict[str, Any]:
    return {"action": "status", "status": code, "after_effect": created, "body": body}


def charged(name: str, fault: dict[str, Any]) -> Case:
    return Case(name, fault, created=True, reason=UNKNOWN)


def not_charged(name: str, fault: dict[str, Any], reason: str = UNKNOWN) -> Case:
    return Case(name, fault, created=False, reason=reason)


CASES = [
    charged("an error of Stripe's, charged", status(500, created=True)),
    not_charged("an error of Stripe's, not charged", status(500)),
    not_charged("a bad gateway, not charged", status(502)),
    charged("a bad gateway, charged", status(502, created=True)),
    not_charged("an unavailable service, not charged", status(503)),
    charged("an unavailable service, charged", status(503, created=True)),
    charged("a gateway that waited", status(504, created=True)),
    not_charged("too many requests", status(429), "funding_rate_limited"),
    not_charged("a key that is in use", status(409)),
    not_charged("a declined card", status(402), "bank_declined"),
    not_charged("a key of ours that is refused", status(401), "funding_request_refused"),
    not_charged("a forbidden request", status(403), "funding_request_refused"),
    charged("half an answer", status(200, created=True, body='{"id": "pi_1", "sta')),
    charged("a page in place of data", status(200, created=True, body="<html>")),
    not_charged("a page of a gateway", status(502, body="<html>Bad gateway")),
    not_charged("a refusal that is not Stripe's", status(402, body="<html>Pay up")),
    not_charged("a connection lost before", {"action": "drop_before"}),
    charged("a connection lost after", {"action": "drop_after"}),
]


@pytest.fixture
def product_settings() -> dict[str, str]:
    # Nothing takes effect late here, so repair need not wait for it.
    return {"REPAIR_WAIT_SECONDS": "0.4"}


class TestAChargeThatIsAnsweredWith:
    async def test_anything_but_yes_is_a_decline_that_leaves_nothing_on_the_linked_card(
        self, product: Product
    ) -> None:
        ada = await holder(product)
        bought, created = {}, {}
        for case in CASES:
            before = await intents(product, ada.customer.stripe_customer_id)
            await arm(product, **case.fault)
            product.authorizer.breaker.calls.clear()  # that it opens is a test of its own
            bought[case.name] = (await pay(product, ada.card, 1999))["id"]
            after = await intents(product, ada.customer.stripe_customer_id)
            created[case.name] = len(after) > len(before)

        assert await fired(product) == [1] * len(CASES)
        assert created == {case.name: case.created for case in CASES}
        for case in CASES:
            answer = await answer_to(product, bought[case.name])
            assert (answer["approved"], answer["reason"]) == (False, "webhook_declined"), case.name
        await oracle(product)
        reasons = {name: await reason_of(product, one) for name, one in bought.items()}
        assert reasons == {case.name: case.reason for case in CASES}
        left = await intents(product, ada.customer.stripe_customer_id)
        assert {intent["status"] for intent in left} == {"canceled"}
        assert len(left) == sum(case.created for case in CASES)
