"""Genuine signatures over bodies that are hostile, broken, or newer than we are."""

import asyncio
import gzip
import json
import string
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.faults.arming import reason_of
from tests.oracle import oracle
from tests.product import Product
from tests.signing import AUTHORIZATIONS, EVENTS, SECRETS, event, header, post, question
from tests.situations import holder, intents
from tests.waiting import until

LARGEST = {AUTHORIZATIONS: 64 * 1024, EVENTS: 2 * 1024 * 1024}
ADDRESSES = [AUTHORIZATIONS, EVENTS]


@pytest.fixture
def product_settings() -> dict[str, str]:
    return {"REPAIR_WAIT_SECONDS": "0.4"}  # nothing takes effect late here


def text(**change: Any) -> str:
    return json.dumps(question("ic_1", **change))


def nested(levels: int) -> Any:
    thing: Any = {}
    for _ in range(levels):
        thing = [thing]
    return thing


NOT_AN_EVENT: dict[str, bytes] = {
    "nothing": b"",
    "a list": b"[]",
    "null": b"null",
    "a text": b'"x"',
    "half an object": b"{",
    "not text": b"\xff\xfe",
    "a hundred thousand levels": b"[" * 60_000,
    "a number of five thousand digits": b"9" * 5_000,
    "such a number in an event": text(extra=0)
    .replace('"extra": 0', f'"extra": {"9" * 5_000}')
    .encode(),
    "not a number": text(extra=0).replace('"extra": 0', '"extra": NaN').encode(),
    "endless": text(extra=0).replace('"extra": 0', '"extra": -Infinity').encode(),
    "endless by its size": text(extra=0).replace('"extra": 0', '"extra": 1e999').encode(),
    "a name twice": text(extra=0).replace('"extra": 0', '"extra": 0, "extra": 1').encode(),
    "deeper than anything of Stripe's": json.dumps(question("ic_1", extra=nested(400))).encode(),
    "no id": json.dumps({k: v for k, v in question("ic_1").items() if k != "id"}).encode(),
    "an id with spaces": json.dumps(question("ic_1") | {"id": "evt 1"}).encode(),
    "an endless id": json.dumps(question("ic_1") | {"id": "e" * 5_000}).encode(),
    "no object": json.dumps(question("ic_1") | {"data": {}}).encode(),
    "a list as its object": json.dumps(question("ic_1") | {"data": {"object": []}}).encode(),
    "a time in words": json.dumps(question("ic_1") | {"created": "now"}).encode(),
    "of the other mode": json.dumps(question("ic_1") | {"livemode": True}).encode(),
    "of another account": json.dumps(question("ic_1") | {"account": "acct_1"}).encode(),
    "packed": gzip.compress(text().encode()),
}


async def stored(product: Product) -> int:
    requests = await product.rows("SELECT 1 FROM authorization_request")
    events = await product.rows("SELECT 1 FROM inbound_event WHERE type NOT LIKE 'issuing_card%'")
    return len(requests) + len(events)


class TestABodyThatIsNotAnEvent:
    @pytest.mark.parametrize("path", ADDRESSES)
    async def test_is_refused_though_stripe_signed_it(self, product: Product, path: str) -> None:
        answers = {name: await post(product.web, path, body) for name, body in NOT_AN_EVENT.items()}

        assert {name: one.status_code for name, one in answers.items()} == dict.fromkeys(
            answers, 400
        )
        assert all("\n" not in one.json()["detail"] for one in answers.values())
        assert await stored(product) == 0

    async def test_is_refused_as_a_question_when_it_asks_nothing(self, product: Product) -> None:
        asks_nothing = [
            event("charge.succeeded", {"id": "ch_1"}),
            question("ic_1") | {"data": {"object": {}}},
            question("ic_1", id=7),
        ]

        answers = [await post(product.web, AUTHORIZATIONS, body) for body in asks_nothing]

        assert [answer.status_code for answer in answers] == [400, 400, 400]
        assert await stored(product) == 0


class TestABodyThatIsTooLarge:
    @pytest.mark.parametrize("path", ADDRESSES)
    async def test_is_refused_by_its_length(self, product: Product, path: str) -> None:
        largest = json.dumps(event("charge.updated", {"id": "ch_1"})).encode()

        refused = await status_of(product, path, f"Content-Length: {LARGEST[path] + 1}", largest)
        taken = await post(product.web, path, largest.ljust(LARGEST[path]))

        assert refused == 413
        assert taken.status_code == (200 if path == EVENTS else 400)  # there it is no question

    @pytest.mark.parametrize("path", ADDRESSES)
    async def test_is_refused_before_the_rest_of_it_has_come(
        self, product: Product, path: str
    ) -> None:
        chunk = b"%x\r\n%s\r\n" % (LARGEST[path], b" " * LARGEST[path])

        announced = await status_of(product, path, "Content-Length: 10000000", b"{")
        without_end = await status_of(product, path, "Transfer-Encoding: chunked", chunk * 2)

        assert (announced, without_end) == (413, 413)


async def test_a_body_that_does_not_come_is_not_waited_for(product: Product) -> None:
    assert await status_of(product, AUTHORIZATIONS, "Content-Length: 1000", b'{"id"') == 400
    assert await stored(product) == 0


async def status_of(product: Product, path: str, head: str, start: bytes) -> int:
    """Begin a request and read what it is answered with while the rest never comes."""
    address = urlsplit(product.settings.app_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    signed = header(b"", SECRETS[path])
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Stripe-Signature: {signed}", head]
    writer.write("\r\n".join([*lines, "", ""]).encode() + start)
    async with asyncio.timeout(1.65):
        line = await reader.readline()
    writer.close()
    return int(line.split()[1])


class TestAGenuineEventWeDoNotKnow:
    async def test_is_stored_and_acknowledged_and_there_is_nothing_to_do(
        self, product: Product
    ) -> None:
        strange = {
            "of a new type": event("issuing_hologram.projected", {"id": "hol_1", "object": "holo"}),
            "about a thing without an id": event("balance.available", {"object": "balance"}),
            "about a thing with a number as id": event("customer.updated", {"id": 7}),
            "about a thing with an endless id": event("customer.updated", {"id": noise(20_000)}),
            "of another version": event(
                "customer.updated", {"id": "ch_1"}, api_version="2031-01-01"
            ),
            "with fields of the future": event(
                "customer.updated", {"id": "ch_2"}, wrapped={"a": 1}
            ),
            "without most fields": {
                "id": "evt_bare",
                "type": "customer.updated",
                "created": 1,
                "data": {"object": {"id": "ch_3"}},
            },
            "before the calendar": event("customer.updated", {"id": "ch_4"}, created=-(2**62)),
            "after the calendar": event("customer.updated", {"id": "ch_5"}, created=2**62),
            "with characters no database keeps": event(
                "customer.updated", {"id": "ch_6", "name": "a\0b\ud800c", "n\0": 1}
            ),
            "with a very large number": event("customer.updated", {"id": "ch_7", "n": 10**4000}),
            "with a very long type": event("x" * 5_000, {"id": "ch_8"}),
        }

        answers = {name: await post(product.web, EVENTS, one) for name, one in strange.items()}

        assert {name: one.status_code for name, one in answers.items()} == dict.fromkeys(
            strange, 200
        )
        names = [one["id"] for one in strange.values()]

        async def ignored() -> bool:
            found = await product.rows(
                "SELECT 1 FROM inbound_event WHERE state = 'ignored'"
                " AND stripe_event_id = ANY(:names)",
                names=names,
            )
            return len(found) == len(names)

        await until(ignored, why="each is stored and ignored")


class TestAGenuineQuestionOfAFormWeDoNotKnow:
    async def test_is_answered_as_any_other_when_what_we_need_is_there(
        self, product: Product
    ) -> None:
        ada = await holder(product)
        strange = question(
            ada.card.stripe_card_id,
            status="pondering",
            authorization_method="telepathy",
            hologram={"colour": "blue"},
            merchant_data={"category": "moon_landings", "country": None, "new": 1},
        ) | {"api_version": "2031-01-01"}

        answer = await post(product.web, AUTHORIZATIONS, strange)

        assert answer.json() == {"approved": True}
        assert answer.headers["stripe-version"] == "2026-10-28.endive"
        await oracle(product)  # Stripe knows nothing of it, so what was held is released

    async def test_is_declined_and_stored_when_it_cannot_be_read(self, product: Product) -> None:
        ada = await holder(product)
        name = ada.card.stripe_card_id
        unreadable = {
            "no amount": question(name, pending_request={"currency": "usd"}),
            "no pending request": question(name, pending_request=None),
            "no card": question(name, card=None),
            "only the card's id": question(name, card=name),
            "no history": question(name, request_history=None),
            "no merchant": question(name, merchant_data="Blue Bottle"),
        }

        answers = {
            why: await post(product.web, AUTHORIZATIONS, one) for why, one in unreadable.items()
        }

        said = {why: one.json()["approved"] for why, one in answers.items()}
        assert said == dict.fromkeys(unreadable, False)
        kept = await product.rows("SELECT stripe_event_id FROM inbound_event WHERE state='failed'")
        assert {row["stripe_event_id"] for row in kept} == {
            one["id"] for one in unreadable.values()
        }
        assert await intents(product, ada.customer.stripe_customer_id) == []

    async def test_is_declined_in_another_currency(self, product: Product) -> None:
        ada = await holder(product)
        foreign = question(
            ada.card.stripe_card_id, pending_request={"amount": 1999, "currency": "jpy"}
        )

        answer = await post(product.web, AUTHORIZATIONS, foreign)

        assert answer.json() == {"approved": False}
        assert await intents(product, ada.customer.stripe_customer_id) == []

    async def test_is_declined_though_the_database_cannot_take_it(self, product: Product) -> None:
        await product.as_owner("ALTER TABLE inbound_event RENAME TO hidden")

        answer = await post(product.web, AUTHORIZATIONS, question("ic_1", card=None))

        await product.as_owner("ALTER TABLE hidden RENAME TO inbound_event")
        assert (answer.status_code, answer.json()) == (200, {"approved": False})


async def test_a_question_about_a_card_that_is_not_ours_is_declined(product: Product) -> None:
    asked = question("ic_of_somebody_else")

    answer = await post(product.web, AUTHORIZATIONS, asked)

    assert answer.json() == {"approved": False}
    await oracle(product)
    assert await reason_of(product, asked["data"]["object"]["id"]) == "unknown_card"


def noise(length: int) -> str:
    """Give a text that no index entry is large enough for, packed or not."""
    letters = Random(1)  # noqa: S311 - it need only be hard to pack
    return "".join(letters.choices(string.ascii_letters, k=length))
