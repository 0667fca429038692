"""One question asked many times, and one event told many times: each has one effect."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiohttp import web

from app.asgi import create_app
from tests.faults.relay import Passage, Way, relaying, several, shown
from tests.oracle import oracle
from tests.product import Product
from tests.serving import free_port, serving_app
from tests.signing import AUTHORIZATIONS, EVENTS, asked, event, header, post, question
from tests.situations import holder, intents, pay
from tests.waiting import until

MANY = 50


@asynccontextmanager
async def another_instance(product: Product) -> AsyncIterator[str]:
    """Serve the application a second time on the same database; give its address."""
    port = free_port()
    settings = msgspec.structs.replace(product.settings, app_url=f"http://127.0.0.1:{port}")
    async with serving_app(create_app(settings), port) as url:
        yield url


def asking(count: int, answers: list[Any]) -> Way:
    """Have each question asked so many times at once; Stripe hears one of the answers."""

    async def way(passage: Passage) -> web.Response:
        found = await several(passage, count)
        answers.extend(one.json() for one in found)
        return shown(found[-1])

    return way


class TestAQuestionAskedFiftyTimes:
    async def test_at_once_and_again_later_is_one_charge_and_one_answer(
        self, product: Product
    ) -> None:
        ada = await holder(product)
        at_once: list[Any] = []
        async with relaying(product) as between:
            between.way = asking(MANY, at_once)
            bought = await pay(product, ada.card, 1999)
        body = await asked(product, bought["id"])

        later = [(await post(product.web, AUTHORIZATIONS, body)).json() for _ in range(3)]
        await oracle(product)
        much_later = (await post(product.web, AUTHORIZATIONS, body)).json()

        assert bought["approved"] is True
        assert at_once == [{"approved": True}] * MANY
        assert [*later, much_later] == [{"approved": True}] * 4
        assert len(await intents(product, ada.customer.stripe_customer_id)) == 1
        assert len(await product.rows("SELECT 1 FROM authorization_request")) == 1

    async def test_to_two_instances_is_still_one_charge_and_one_answer(
        self, product: Product
    ) -> None:
        ada = await holder(product)
        said: list[Any] = []
        await product.control("settings", {"latency_ms": 200})
        async with another_instance(product) as second, relaying(product, second) as between:
            between.way = asking(20, said)
            bought = await pay(product, ada.card, 1999)
        await product.control("settings", {"latency_ms": 0})

        assert bought["approved"] is True
        assert said == [{"approved": True}] * 20
        await oracle(product)
        assert len(await intents(product, ada.customer.stripe_customer_id)) == 1

    async def test_that_was_declined_stays_declined(self, product: Product) -> None:
        ada = await holder(product, blocked_categories=["fast_food_restaurants"])
        bought = await pay(product, ada.card, 1999)
        body = await asked(product, bought["id"])
        await product.as_owner("UPDATE card SET blocked_categories = '{}'")

        again = await post(product.web, AUTHORIZATIONS, body)

        assert again.json() == {"approved": False}
        await oracle(product)
        assert await intents(product, ada.customer.stripe_customer_id) == []

    async def test_while_another_process_never_comes_back_is_declined_in_time(
        self, product: Product
    ) -> None:
        ada = await holder(product)
        bought = await pay(product, ada.card, 1999)
        await oracle(product)
        body = await asked(product, bought["id"])
        await product.as_owner("UPDATE authorization_request SET state = 'deciding'")
        loop = asyncio.get_running_loop()

        began = loop.time()
        answer = await post(product.web, AUTHORIZATIONS, body)

        assert answer.json() == {"approved": False}
        assert 1.5 < loop.time() - began < 2
        await product.as_owner("UPDATE authorization_request SET state = 'approved'")
        await oracle(product)


class TestAnotherQuestionInTheSamePlace:
    async def test_is_declined_and_charges_nothing(self, product: Product) -> None:
        ada = await holder(product)
        bought = await pay(product, ada.card, 1999)
        first = json.loads(await asked(product, bought["id"]))
        pending = first["data"]["object"]["pending_request"] | {"amount": 5000}
        dearer = first["data"]["object"] | {"pending_request": pending}

        answers = [
            await post(product.web, AUTHORIZATIONS, first | {"id": "evt_another"}),
            await post(product.web, AUTHORIZATIONS, first | {"data": {"object": dearer}}),
        ]

        assert [answer.json() for answer in answers] == [{"approved": False}] * 2
        await oracle(product)
        [intent] = await intents(product, ada.customer.stripe_customer_id)
        assert intent["amount"] == 2149

    async def test_is_declined_where_only_the_event_is_the_same(self, product: Product) -> None:
        ada = await holder(product)
        bought = await pay(product, ada.card, 1999)
        first = json.loads(await asked(product, bought["id"]))
        thing = first["data"]["object"]
        others: list[dict[str, Any]] = [
            {"id": "iauth_another"},
            {"card": thing["card"] | {"id": "ic_another"}},
            {"amount": 500},
            {"request_history": [{"approved": True}]},
        ]

        answers = [
            await post(product.web, AUTHORIZATIONS, first | {"data": {"object": thing | other}})
            for other in others
        ]

        assert [answer.json() for answer in answers] == [{"approved": False}] * len(others)
        await oracle(product)
        assert len(await intents(product, ada.customer.stripe_customer_id)) == 1

    async def test_is_declined_while_the_first_is_still_being_decided(
        self, product: Product
    ) -> None:
        ada = await holder(product)
        dearer: list[Any] = []

        async def way(passage: Passage) -> web.Response:
            other = json.loads(passage.body)
            other["data"]["object"]["pending_request"]["amount"] = 990_000
            first = asyncio.create_task(passage.ask())
            await until(recorded)
            dearer.append((await post(product.web, AUTHORIZATIONS, other)).json())
            return shown(await first)

        async def recorded() -> bool:
            return bool(await product.rows("SELECT 1 FROM authorization_request"))

        await product.control("settings", {"latency_ms": 300})
        async with relaying(product) as between:
            between.way = way
            bought = await pay(product, ada.card, 1999)
        await product.control("settings", {"latency_ms": 0})

        assert (bought["approved"], dearer) == (True, [{"approved": False}])
        await oracle(product)


class TestAnEventToldFiftyTimes:
    async def test_is_stored_and_acted_on_once(self, product: Product) -> None:
        told = json.dumps(event("customer.updated", {"id": "cus_1"})).encode()

        answers = await asyncio.gather(*(post(product.web, EVENTS, told) for _ in range(MANY)))

        assert {answer.status_code for answer in answers} == {200}
        assert sum(answer.json()["new"] for answer in answers) == 1
        name = json.loads(told)["id"]
        query = "SELECT state, attempts FROM inbound_event WHERE stripe_event_id = :name"

        async def done() -> bool:
            return await product.rows(query, name=name) == [{"state": "ignored", "attempts": 0}]

        await until(done)

    async def test_signed_anew_each_time_captures_once(self, product: Product) -> None:
        ada = await holder(product)
        bought = await pay(product, ada.card, 1999)
        path = f"/v1/test_helpers/issuing/authorizations/{bought['id']}/capture"
        await product.call("POST", path)
        await product.settled()
        rows = await product.rows(
            "SELECT stripe_event_id, type, payload FROM inbound_event WHERE object_id = :name",
            name=bought["id"],
        )
        again = [
            json.dumps(event(row["type"], row["payload"], id=row["stripe_event_id"])).encode()
            for row in rows
        ]

        for body in again:
            answers = await asyncio.gather(*(post(product.web, EVENTS, body) for _ in range(10)))
            assert not any(answer.json()["new"] for answer in answers)

        await oracle(product)
        assert len(await product.rows("SELECT 1 FROM card_transaction")) == 1

    async def test_under_many_names_at_once_still_captures_once(self, product: Product) -> None:
        ada = await holder(product)
        bought = await pay(product, ada.card, 1999)
        path = f"/v1/test_helpers/issuing/authorizations/{bought['id']}/capture"
        captured = await product.call("POST", path)
        told = [event("issuing_authorization.updated", captured) for _ in range(10)]

        await asyncio.gather(*(post(product.web, EVENTS, one) for one in told))

        await oracle(product)
        [charge] = await product.rows("SELECT state, captured_minor FROM charge")
        assert charge == {"state": "captured", "captured_minor": 2149}


async def test_a_question_of_yesterday_is_refused_however_well_it_was_signed(
    product: Product,
) -> None:
    ada = await holder(product)
    body = json.dumps(question(ada.card.stripe_card_id)).encode()

    first = await post(product.web, AUTHORIZATIONS, body)
    old = header(body, product.settings.authorization_secrets[0], at=1_800_000_000)
    again = await post(product.web, AUTHORIZATIONS, body, old)

    assert (first.json(), again.status_code) == ({"approved": True}, 400)
