"""Not Stripe, not ours, or not now: refused with one line before anything is read or stored."""

import json
import time
from collections.abc import Callable

import pytest

from tests.oracle import oracle
from tests.product import AUTHORIZATION_SECRET, Product
from tests.signing import AUTHORIZATIONS, EVENTS, SECRETS, event, header, post, question, signature
from tests.situations import holder

BODY = json.dumps(question("ic_1")).encode()
ROLLED = "whsec_the_secret_before_this_one"
ADDRESSES = [AUTHORIZATIONS, EVENTS]


def now() -> int:
    return int(time.time())


def good(path: str) -> str:
    return signature(BODY, SECRETS[path])


HEADERS: dict[str, Callable[[str], str]] = {
    "none": lambda _: "",
    "no time": lambda path: f"v1={good(path)}",
    "a time in words": lambda path: f"t=abc,v1={good(path)}",
    "two times": lambda path: f"t={now()},t={now()},v1={good(path)}",
    "no signature": lambda _: f"t={now()}",
    "only another scheme": lambda path: f"t={now()},v0={good(path)}",
    "not hexadecimal": lambda _: f"t={now()},v1=nonsense",
    "ten thousand signatures": lambda _: f"t={now()}" + ",v1=00" * 10_000,
    "five minutes old": lambda path: header(BODY, SECRETS[path], at=now() - 302),
    "from the future": lambda path: header(BODY, SECRETS[path], at=now() + 600),
    "the other address's secret": lambda path: header(
        BODY, *(secret for other, secret in SECRETS.items() if other != path)
    ),
    "a secret of nobody's": lambda _: header(BODY, "whsec_of_somebody_else"),
    "no secret at all": lambda _: header(BODY, ""),
}


async def nothing_stored(product: Product) -> bool:
    requests = await product.rows("SELECT 1 FROM authorization_request")
    events = await product.rows("SELECT 1 FROM inbound_event")
    return not requests and not events


class TestASignature:
    @pytest.mark.parametrize("path", ADDRESSES)
    async def test_that_is_not_stripe_s_own_and_recent_is_refused(
        self, product: Product, path: str
    ) -> None:
        answers = {
            name: await post(product.web, path, BODY, make(path)) for name, make in HEADERS.items()
        }
        raw = {b"Stripe-Signature": f"t={now()},v1=é".encode()}
        answers["not ASCII"] = await product.web.post(path, content=BODY, headers=raw)
        answers["missing"] = await product.web.post(path, content=BODY)

        assert {name: one.status_code for name, one in answers.items()} == dict.fromkeys(
            answers, 400
        )
        assert all("\n" not in one.json()["detail"] for one in answers.values())
        assert await nothing_stored(product)

    @pytest.mark.parametrize("path", ADDRESSES)
    async def test_is_over_the_bytes_as_they_came(self, product: Product, path: str) -> None:
        signed = header(BODY, SECRETS[path])
        changed = {
            "one byte": BODY.replace(b"Blue Bottle", b"Blue Bottlf"),
            "other spaces": json.dumps(json.loads(BODY), indent=1).encode(),
            "other order": json.dumps(json.loads(BODY), sort_keys=True).encode(),
            "nothing": b"",
            "not text": b"\xff\xfe",
        }

        answers = {
            name: await post(product.web, path, body, signed) for name, body in changed.items()
        }

        assert {name: one.status_code for name, one in answers.items()} == dict.fromkeys(
            answers, 400
        )
        assert await nothing_stored(product)


class TestWhileASecretIsRolled:
    @pytest.fixture
    def product_settings(self) -> dict[str, str]:
        both = f"{AUTHORIZATION_SECRET},{ROLLED}"
        return {"STRIPE_AUTHORIZATION_WEBHOOK_SECRET": both, "REPAIR_WAIT_SECONDS": "0.4"}

    async def test_the_old_and_the_new_secret_are_both_good(self, product: Product) -> None:
        ada = await holder(product)
        secrets = [[ROLLED], [AUTHORIZATION_SECRET], [ROLLED, AUTHORIZATION_SECRET]]
        asked = [json.dumps(question(ada.card.stripe_card_id)).encode() for _ in secrets]

        answers = [
            await post(product.web, AUTHORIZATIONS, body, header(body, *signers))
            for body, signers in zip(asked, secrets, strict=True)
        ]

        assert [answer.json() for answer in answers] == [{"approved": True}] * 3
        # Stripe knows of none of these purchases: what was held for them is released.
        await oracle(product)

    async def test_of_two_addresses_each_keeps_its_own(self, product: Product) -> None:
        body = json.dumps(event("charge.succeeded", {"id": "ch_1"})).encode()

        refused = await post(product.web, EVENTS, body, header(body, ROLLED))

        assert refused.status_code == 400
