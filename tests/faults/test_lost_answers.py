"""Our answer does not reach Stripe: the account's default decides, and the charges follow that."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from app.domain.identity.audit import Actor
from app.domain.issuing.allowing import CannotAllow
from app.domain.issuing.cards_moving import freeze_card
from app.domain.issuing.facts import Scope
from app.domain.issuing.rules import NewCustomer, RiskScore, Velocity
from app.domain.issuing.uncharged import TOO_LITTLE_CHARGED
from tests.controls import allow, later, rule
from tests.faults import relay
from tests.faults.arming import arm, fired, reason_of
from tests.oracle import oracle
from tests.product import Product
from tests.situations import (
    LATER_DECLINES,
    VISA,
    Holder,
    at,
    behave,
    helper,
    holder,
    intents,
    pay,
)
from tests.waiting import until

LOST = [
    (relay.too_late, "webhook_timeout"),
    (relay.lost, "webhook_error"),
    (relay.without_version, "webhook_error"),
    (relay.never_asked, "webhook_timeout"),
]

MODES = [{"FUNDING_MODE": "hold"}, {"FUNDING_MODE": "charge"}]


def last(bought: dict[str, Any]) -> tuple[bool, str]:
    entry = bought["request_history"][-1]
    return entry["approved"], entry["reason"]


async def on_card(product: Product, person: Holder) -> list[str]:
    made = await intents(product, person.customer.stripe_customer_id)
    return sorted(intent["status"] for intent in made)


class TestAnAnswerStripeDidNotGet:
    @pytest.mark.parametrize(
        ("product_settings", "ended"),
        [({"FUNDING_MODE": "hold"}, "canceled"), ({"FUNDING_MODE": "charge"}, "succeeded")],
        ids=["hold", "charge"],
    )
    async def test_is_a_decline_and_what_we_approved_is_released(
        self, product: Product, ended: str
    ) -> None:
        ada = await holder(product)
        async with relay.relaying(product) as between:
            paying = []
            for way, _ in LOST:
                between.way = way
                paying.append(asyncio.create_task(pay(product, ada.card, 1999)))
                count = len(paying)
                await until(lambda: between.questions == count)  # noqa: B023 - within the round
            bought = await asyncio.gather(*paying)

        assert [last(one) for one in bought] == [(False, reason) for _, reason in LOST]
        ours = await product.rows("SELECT state FROM authorization_request WHERE reason IS NULL")
        assert [row["state"] for row in ours] == ["approved"] * 3
        await oracle(product)
        assert await on_card(product, ada) == [ended] * 3
        room = await product.rows("SELECT sum(reserved_minor) AS used FROM authorization_request")
        assert room == [{"used": 0}]


class TestWhatStripeDeclinedSinceOurAnswerCameTooLate:
    async def test_binds_a_card_to_no_merchant(self, product: Product) -> None:
        ada = await holder(product, lock_to_first_merchant=True)
        await answered_too_late(product, ada, "Blue Apron", **at("1"))

        bought = await pay(product, ada.card, 1999, "Blue Bottle", **at("2"))

        assert bought["approved"] is True
        await oracle(product)

    async def test_uses_up_nothing_that_was_allowed_once(self, product: Product) -> None:
        ada = await holder(product)
        await rule(product, RiskScore(at_least=0))
        refused = await pay(product, ada.card, 1999)
        await allow(product, refused["id"])
        await answered_too_late(product, ada, "Blue Bottle")

        with pytest.raises(CannotAllow, match="it is allowed already"):
            await allow(product, refused["id"])

        answers = [await pay(product, ada.card, 1999) for _ in range(2)]
        assert [one["approved"] for one in answers] == [True, False]
        await oracle(product)

    async def test_ends_no_time_of_a_new_customer(self, product: Product) -> None:
        ada = await holder(product)
        await rule(product, NewCustomer(for_days=2, window_days=60, amount_minor=5000))
        await answered_too_late(product, ada, "Blue Bottle")

        await later(product, days=3)

        refused = await pay(product, ada.card, 5001)
        assert await reason_of(product, refused["id"]) == "new_customer_limit"
        await oracle(product)


async def answered_too_late(product: Product, ada: Holder, merchant: str, **more: str) -> None:
    """Approve a purchase after Stripe has declined it, and hear of that."""
    async with relay.relaying(product) as between:
        between.way = relay.too_late
        bought = await pay(product, ada.card, 1999, merchant, **more)
    assert last(bought) == (False, "webhook_timeout")
    await oracle(product)


class TestAnAccountThatApprovesByDefault:
    """A misconfiguration: what nobody said yes to is approved, and must be paid all the same."""

    async def test_has_each_purchase_charged_afterwards_or_its_card_frozen(
        self, product: Product
    ) -> None:
        defaults = {"authorization_timeout": "approve", "webhook_error": "approve"}
        await product.control("settings", defaults)
        people = {
            name: await holder(product, email=f"{name}@example.com", sources=sources)
            for name, sources in {
                "charged in vain": (VISA,),
                "hanging": (VISA,),
                "unseen": (VISA,),
                "in time": (VISA,),
                "garbled": (LATER_DECLINES,),
                "declined": (LATER_DECLINES, VISA),
                "penniless": (LATER_DECLINES,),
            }.items()
        }
        ways = {"unseen": relay.never_asked, "garbled": relay.without_version}
        faults: dict[str, dict[str, Any]] = {
            "charged in vain": {"action": "status", "status": 500},
            "hanging": {"action": "hang", "after_effect": True},
        }
        async with relay.relaying(product) as between:
            paying = {}
            for name, person in people.items():
                between.way = ways.get(name, relay.too_late)
                if name in faults:
                    await arm(product, **faults[name])
                paying[name] = asyncio.create_task(pay(product, person.card, 1999))
                count = len(paying)
                await until(lambda: between.questions == count)  # noqa: B023 - within the round
                if name in faults:
                    await until(lambda: self.all_fired(product), why="the fault fires")
            await self.freeze_own(product, people["penniless"])
            bought = {name: await one for name, one in paying.items()}

        assert {last(one)[0] for one in bought.values()} == {True}
        assert await fired(product) == [1, 1]
        broke = {bought["garbled"]["id"], bought["penniless"]["id"]}
        await oracle(product, unpaid=broke)
        frozen = "SELECT DISTINCT frozen_by FROM card WHERE state = 'frozen'"
        assert await product.rows(frozen) == [{"frozen_by": "system"}]
        held = {name: await on_card(product, person) for name, person in people.items()}
        assert {name: states.count("requires_capture") for name, states in held.items()} == {
            "charged in vain": 1,
            "hanging": 1,
            "unseen": 1,
            "in time": 1,
            "garbled": 0,
            "declined": 1,
            "penniless": 0,
        }

    async def test_has_staff_told_that_nobody_pays_more_though_a_part_was_taken(
        self, product: Product
    ) -> None:
        await product.control("settings", {"webhook_error": "approve"})
        ada = await holder(product)
        bought = await pay(product, ada.card, 50_00)
        part = {"capture_amount": 10_00, "close_authorization": "false"}
        await helper(product, bought["id"], "capture", **part)
        await product.settled()
        await behave(product, ada.sources[0].stripe_payment_method_id, LATER_DECLINES)
        async with relay.relaying(product) as between:
            between.way = relay.without_version
            more = await helper(product, bought["id"], "increment", increment_amount=20_00)
        assert last(more) == (True, "webhook_error")
        await product.settled()
        assert await product.rows("SELECT state, frozen_by FROM card") == [
            {"state": "frozen", "frozen_by": "system"}
        ]
        [told] = await product.rows("SELECT not_handled FROM card_authorization")
        assert "nobody has paid yet" in str(told["not_handled"])

    async def freeze_own(self, product: Product, person: Holder) -> None:
        """Have a customer freeze their card themselves: what is not paid is on it all the same."""
        actor = Actor("customer", person.customer.id)
        async with product.parts.sessions.begin() as session:
            await freeze_card(session, person.card.id, actor=actor)

    async def all_fired(self, product: Product) -> bool:
        return all(await fired(product))


class TestMoreIsApprovedByDefaultThanWeAllowed:
    """We approve a part, our answer is lost, and the account's default approves all of it."""

    @pytest.mark.parametrize("product_settings", MODES)
    async def test_is_charged_whole_in_place_of_the_part(self, product: Product) -> None:
        ada = await self.with_little_room(product)

        bought = await self.approved_whole(product, ada, relay.without_version)

        assert bought["amount"] == 5000
        await oracle(product)
        [request] = await product.rows(
            "SELECT approved_minor, fee_minor, not_handled FROM authorization_request AS request"
            " JOIN card_authorization AS made ON made.id = request.authorization_id"
        )
        assert request == {"approved_minor": 5000, "fee_minor": 300, "not_handled": None}
        await helper(product, bought["id"], "capture")
        await oracle(product)

    async def test_is_told_and_keeps_the_part_where_the_rest_is_refused(
        self, product: Product
    ) -> None:
        ada = await self.with_little_room(product)

        async def way(passage: relay.Passage) -> web.Response:
            answer = await relay.without_version(passage)
            await behave(product, ada.sources[0].stripe_payment_method_id, LATER_DECLINES)
            return answer

        await self.approved_whole(product, ada, way)
        await product.settled()

        [held] = await self.live(product, ada)
        assert (held["status"], held["amount"]) == ("requires_capture", 1100)
        [told] = await product.rows("SELECT not_handled FROM card_authorization")
        assert told == {"not_handled": TOO_LITTLE_CHARGED}
        assert await product.rows("SELECT state FROM card") == [{"state": "frozen"}]

    async def with_little_room(self, product: Product) -> Holder:
        defaults = {"authorization_timeout": "approve", "webhook_error": "approve"}
        await product.control("settings", defaults)
        await rule(product, Velocity(Scope.CARD, 60, amount_minor=1000))
        return await holder(product)

    async def approved_whole(self, product: Product, ada: Holder, way: relay.Way) -> dict[str, Any]:
        async with relay.relaying(product) as between:
            between.way = way
            return await pay(product, ada.card, 5000, is_amount_controllable="true")

    async def live(self, product: Product, ada: Holder) -> list[dict[str, Any]]:
        made = await intents(product, ada.customer.stripe_customer_id)
        return [intent for intent in made if intent["status"] == "requires_capture"]


class TestAnOutcomeConcludedTooSoon:
    """Repair that does not wait for Stripe's word takes silence for a no, until the word comes."""

    @pytest.fixture
    def product_settings(self) -> dict[str, str]:
        return {"REPAIR_WAIT_SECONDS": "0.3"}

    async def test_is_corrected_by_what_stripe_says_afterwards(self, product: Product) -> None:
        await product.control("settings", {"authorization_timeout": "approve"})
        ada = await holder(product)
        await arm(product, action="status", status=500)
        async with relay.relaying(product) as between:
            between.way = relay.too_late
            paying = asyncio.create_task(pay(product, ada.card, 1999))
            await until(lambda: verified_without_stripe(product), why="silence was taken for a no")
            bought = await paying

        assert last(bought) == (True, "webhook_timeout")
        await oracle(product)
        assert (await on_card(product, ada)).count("requires_capture") == 1


async def verified_without_stripe(product: Product) -> bool:
    return bool(
        await product.rows(
            "SELECT 1 FROM authorization_request"
            " WHERE verified_at IS NOT NULL AND stripe_approved IS NULL"
        )
    )
