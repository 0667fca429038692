"""A card that is frozen, closed, limited or replaced is so for us at once, and for Stripe after."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.domain.identity.audit import SYSTEM, Actor
from app.domain.identity.models import Customer
from app.domain.identity.reasons import Reason
from app.domain.issuing.cards_access import CardNotFound
from app.domain.issuing.cards_moving import (
    NotYoursToUnfreeze,
    close_card,
    freeze_card,
    unfreeze_card,
)
from app.domain.issuing.cards_replacing import replace_card
from app.domain.issuing.cards_settings import (
    UnusableLimits,
    UnusableNickname,
    change_controls,
    controls_of,
    rename_card,
)
from app.domain.issuing.mirroring import Mirror
from app.domain.issuing.models import Card
from app.domain.issuing.replacing import replacement_of
from app.domain.issuing.rule_book import add_rule
from app.domain.issuing.rule_reading import Draft
from app.domain.issuing.rules import RuleMode, Stop, StopTarget
from app.domain.marks import MovedOn, mark
from app.domain.states import IllegalMove
from tests.cards import until_told
from tests.faults.arming import reason_of
from tests.oracle import oracle
from tests.product import Product
from tests.situations import Holder, at, holder, pay

LOST = Reason("card_lost_or_stolen", "the number is on the web")
ON_IT = Reason("fraud_suspected", "three shops in a minute")

KNOWN_BY_ITS_ID = "SELECT"
KNOWN_BY_ITS_NAME = "UPDATE card_authorization SET merchant_network_id = NULL"


def by_customer(ada: Holder) -> Actor:
    return Actor("customer", ada.customer.id)


async def at_stripe(product: Product, card: Card) -> dict[str, Any]:
    await until_told(product)
    return await product.call("GET", f"/v1/issuing/cards/{card.stripe_card_id}")


class TestFreezing:
    async def test_stops_the_card_here_and_at_stripe_until_it_is_thawed(
        self, product: Product
    ) -> None:
        ada = await holder(product)
        async with product.parts.sessions.begin() as session:
            await freeze_card(session, ada.card.id, actor=by_customer(ada))

        assert (await at_stripe(product, ada.card))["status"] == "inactive"
        refused = await pay(product, ada.card, 1999)
        assert refused["approved"] is False
        await oracle(product)
        assert await reason_of(product, refused["id"]) == "card_frozen"

        async with product.parts.sessions.begin() as session:
            await unfreeze_card(session, ada.card.id, actor=by_customer(ada))
        assert (await at_stripe(product, ada.card))["status"] == "active"
        assert (await pay(product, ada.card, 1999))["approved"] is True

    async def test_by_staff_is_not_undone_by_the_customer(self, product: Product) -> None:
        ada = await holder(product)
        async with product.parts.sessions.begin() as session:
            await freeze_card(session, ada.card.id, actor=by_customer(ada))
        async with product.parts.sessions.begin() as session:
            await freeze_card(session, ada.card.id, actor=Actor("staff"), why=ON_IT)

        with pytest.raises(NotYoursToUnfreeze):
            async with product.parts.sessions.begin() as session:
                await unfreeze_card(session, ada.card.id, actor=by_customer(ada))
        with pytest.raises(IllegalMove):
            async with product.parts.sessions.begin() as session:
                await freeze_card(session, ada.card.id, actor=Actor("staff"), why=ON_IT)

    async def test_somebody_else_s_card_is_no_card(self, product: Product) -> None:
        ada = await holder(product)
        other = await holder(product, email="eve@example.com")
        with pytest.raises(CardNotFound):
            async with product.parts.sessions.begin() as session:
                await freeze_card(session, ada.card.id, actor=by_customer(other))

    async def test_of_a_card_that_changed_meanwhile_does_nothing(self, product: Product) -> None:
        ada = await holder(product)
        async with product.parts.sessions.begin() as session:
            seen = mark(await session.get_one(Card, ada.card.id))
            await rename_card(session, ada.card.id, "Groceries", actor=by_customer(ada))
        with pytest.raises(MovedOn):
            async with product.parts.sessions.begin() as session:
                await freeze_card(session, ada.card.id, actor=SYSTEM, seen=seen)


class TestLimits:
    async def test_are_told_to_stripe(self, product: Product) -> None:
        ada = await holder(product)
        wanted = controls_of(ada.card)
        lower = type(wanted)(daily_limit_minor=1_000, monthly_limit_minor=2_000)
        async with product.parts.sessions.begin() as session:
            await change_controls(session, ada.card.id, lower, actor=by_customer(ada))

        controls = (await at_stripe(product, ada.card))["spending_controls"]
        assert {limit["interval"]: limit["amount"] for limit in controls["spending_limits"]} == {
            "daily": 1_000,
            "monthly": 2_000,
        }
        assert (await pay(product, ada.card, 1001))["approved"] is False
        [entry] = await product.rows("SELECT before, after FROM audit_entry WHERE action ~ 'limit'")
        assert entry["before"] == {"daily_limit_minor": 100_000, "monthly_limit_minor": 500_000}

    async def test_above_the_most_or_against_each_other_are_refused(self, product: Product) -> None:
        ada = await holder(product)
        plain = type(controls_of(ada.card))
        for wrong, field in (
            (plain(daily_limit_minor=1_000_001), "daily"),
            (plain(daily_limit_minor=500, monthly_limit_minor=499), "daily"),
            (plain(purchase_limit_minor=-1), "purchase"),
        ):
            with pytest.raises(UnusableLimits, match=f"^{field}: "):
                async with product.parts.sessions.begin() as session:
                    await change_controls(session, ada.card.id, wrong, actor=SYSTEM)

    async def test_a_name_is_short_and_printable(self, product: Product) -> None:
        ada = await holder(product)
        for wrong in ("", "  ", "x" * 41, "a\x00b"):
            with pytest.raises(UnusableNickname):
                async with product.parts.sessions.begin() as session:
                    await rename_card(session, ada.card.id, wrong, actor=by_customer(ada))


class TestReplacing:
    async def test_closes_the_old_one_and_carries_all_it_had(self, product: Product) -> None:
        ada = await holder(
            product,
            daily_limit_minor=7_000,
            purchase_limit_minor=5_000,
            blocked_categories=["bakeries"],
            lock_to_first_merchant=True,
        )
        network = {"merchant_data[network_id]": "1234567890"}
        assert (await pay(product, ada.card, 1999, **network))["approved"] is True
        new = await replace(product, ada)

        assert (new.daily_limit_minor, new.purchase_limit_minor) == (7_000, 5_000)
        assert (new.blocked_categories, new.lock_to_first_merchant) == (["bakeries"], True)
        assert new.replaces_id == ada.card.id
        old = await at_stripe(product, ada.card)
        assert (old["status"], old["cancellation_reason"]) == ("canceled", "lost")
        made = await at_stripe(product, new)
        assert (made["status"], made["replacement_for"]) == ("active", ada.card.stripe_card_id)
        assert (await pay(product, new, 1000, **network))["approved"] is True
        refused = await pay(product, ada.card, 1000, **network)
        await oracle(product)
        assert await reason_of(product, refused["id"]) == "card_closed"

    @pytest.mark.parametrize("known", [KNOWN_BY_ITS_ID, KNOWN_BY_ITS_NAME])
    async def test_stays_at_the_merchant_of_the_one_before(
        self, product: Product, known: str
    ) -> None:
        ada = await holder(product, lock_to_first_merchant=True)
        bought = await pay(product, ada.card, 1999, "SQ *BLUE BOTTLE 042", **at("1"))
        assert bought["approved"] is True
        await product.settled()
        await product.as_owner(known)
        ada.cards = [await replace(product, ada)]
        new = await replace(product, ada)

        elsewhere = await pay(product, new, 1999, "Amazon", **at("3"))
        there = await pay(product, new, 1999, "Blue Bottle Coffee", **at("2"))

        assert (there["approved"], elsewhere["approved"]) == (True, False)
        assert await reason_of(product, elsewhere["id"]) == "locked_to_merchant"
        await oracle(product)

    async def test_is_spent_where_the_one_before_was_for_one_purchase(
        self, product: Product
    ) -> None:
        ada = await holder(product, single_use=True)
        assert (await pay(product, ada.card, 1999))["approved"] is True
        new = await replace(product, ada)

        refused = await pay(product, new, 1999)

        assert await reason_of(product, refused["id"]) == "single_use_spent"
        await oracle(product)

    async def test_is_not_spent_where_the_one_before_was_not(self, product: Product) -> None:
        ada = await holder(product, single_use=True)
        new = await replace(product, ada)

        assert (await pay(product, new, 1999))["approved"] is True
        await oracle(product)

    async def test_stops_on_the_old_one_stop_the_new_one(self, product: Product) -> None:
        ada = await holder(product)
        now = product.parts.clock.now()
        stop = Draft(
            condition=Stop(StopTarget.CARD, str(ada.card.id)),
            name="Stop",
            note="a test",
            mode=RuleMode.ENFORCED,
            effective_from=now,
        )
        async with product.parts.sessions.begin() as session:
            await add_rule(session, stop, actor=SYSTEM, now=now)
        new = await replace(product, ada)
        assert (await pay(product, new, 1000))["approved"] is False

    async def test_goes_on_after_stripe_has_failed_and_makes_one_card(
        self, product: Product
    ) -> None:
        ada = await holder(product)
        async with product.parts.sessions.begin() as session:
            order = await replace_card(session, ada.card.id, actor=by_customer(ada), why=LOST)
        mirror = Mirror(product.parts.sessions, product.parts.network)
        for _ in range(2):
            await mirror.send(order.id)
        listed = await product.call("GET", "/v1/issuing/cards")
        assert len(listed["data"]) == 2
        with pytest.raises(IllegalMove):
            async with product.parts.sessions.begin() as session:
                await replace_card(session, ada.card.id, actor=by_customer(ada), why=LOST)

    async def test_of_one_that_we_froze_is_frozen(self, product: Product) -> None:
        ada = await holder(product)
        async with product.parts.sessions.begin() as session:
            await freeze_card(session, ada.card.id, actor=Actor("staff"), why=ON_IT)
        new = await replace(product, ada)
        assert (new.state, new.frozen_by) == ("frozen", "staff")
        assert (await at_stripe(product, new))["status"] == "inactive"


async def test_a_closed_card_is_closed_for_good(product: Product) -> None:
    ada = await holder(product)
    async with product.parts.sessions.begin() as session:
        await close_card(session, ada.card.id, actor=by_customer(ada))
    assert (await at_stripe(product, ada.card))["status"] == "canceled"
    for again in (close_card, freeze_card, unfreeze_card):
        with pytest.raises(IllegalMove):
            async with product.parts.sessions.begin() as session:
                await again(session, ada.card.id, actor=by_customer(ada))


async def replace(product: Product, ada: Holder) -> Card:
    async with product.parts.sessions.begin() as session:
        customer = await session.get_one(Customer, ada.customer.id)
        by = Actor("customer", customer.id)
        order = await replace_card(session, ada.card.id, actor=by, why=LOST)
    await Mirror(product.parts.sessions, product.parts.network).send(order.id)
    async with product.parts.sessions() as session:
        new = await replacement_of(session, ada.card.id)
        assert new is not None
        assert new.id == UUID(order.wanted["card"])
        return (await session.scalars(select(Card).where(Card.id == new.id))).one()
