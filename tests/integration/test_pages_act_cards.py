"""What staff do about cards and customers, through the pages: done, refused, stale, once."""

from contextlib import AsyncExitStack

from app.domain.identity.states import Role
from tests.acting import act, field_problem, opened
from tests.back_office import signed_in
from tests.cards import until_told
from tests.oracle import oracle
from tests.portal import entered
from tests.product import Product
from tests.situations import holder, pay


async def test_a_card_is_frozen_and_thawed_with_why_on_the_trail(product: Product) -> None:
    ada = await holder(product)
    async with signed_in(product, Role.SUPPORT) as support:
        record = await support.get(f"/admin/cards/details/{ada.card.id}")
        assert f"/admin/act/freeze-card/{ada.card.id}" in record.text
        sent = await act(support, "freeze-card", ada.card.id, reason="fraud_suspected")
        assert sent.status_code == 303
        assert (
            "The card is frozen, here at once" in (await support.get(sent.headers["location"])).text
        )
        await until_told(product)
        assert (await pay(product, ada.card, 1999))["approved"] is False
        again = await support.get(f"/admin/act/freeze-card/{ada.card.id}")
        assert "frozen already" in again.text
        assert (await act(support, "unfreeze-card", ada.card.id)).status_code == 303
    await until_told(product)
    assert (await pay(product, ada.card, 1999))["approved"] is True
    await oracle(product)
    entries = await product.rows(
        "SELECT action, reason_code, reason FROM audit_entry WHERE action ~ '^card.(un)?freeze'"
        " ORDER BY id"
    )
    assert [entry["action"] for entry in entries] == ["card.freeze", "card.unfreeze"]
    assert (entries[0]["reason_code"], entries[0]["reason"]) == (
        "fraud_suspected",
        "as the caller asked",
    )


async def test_what_is_missing_or_wrong_is_said_at_its_field_and_the_rest_is_kept(
    product: Product,
) -> None:
    ada = await holder(product)
    async with signed_in(product, Role.SUPPORT) as support:
        form = await opened(support, "limit-card", ada.card.id)
        for typed, field in (
            ({"reason": ""}, "reason"),
            ({"reason": "uncollectible"}, "reason"),
            ({"note": " "}, "note"),
            ({"sure": ""}, "sure"),
            ({"daily": "10,000.01"}, "daily"),
            ({"daily": "abc"}, "daily"),
            ({"daily": "600.00", "monthly": "500.00"}, "daily"),
            ({"purchase": "-1"}, "purchase"),
        ):
            given = {"daily": "12.34", "monthly": "567.89", "purchase": "", **typed}
            refused = await form.send(**given)
            assert refused.status_code == 422, typed
            assert field_problem(refused, field), typed
            assert f'value="{given["monthly"]}"' in refused.text
        done = await form.send(daily="12.34", monthly="567.89", purchase="5.00")
        assert done.status_code == 303
    [card] = await product.rows("SELECT * FROM card")
    assert (card["daily_limit_minor"], card["monthly_limit_minor"]) == (1234, 56789)
    assert card["purchase_limit_minor"] == 500


async def test_a_card_that_changed_meanwhile_is_left_alone(product: Product) -> None:
    ada = await holder(product)
    async with signed_in(product, Role.SUPPORT) as support:
        form = await opened(support, "close-card", ada.card.id)
        assert (await act(support, "freeze-card", ada.card.id)).status_code == 303
        stale = await form.send()
        assert stale.status_code == 409
        assert "has changed since the page was opened" in stale.text
        assert 'value="as the caller asked"' in stale.text
    [card] = await product.rows("SELECT state FROM card")
    assert card["state"] == "frozen"


async def test_a_form_sent_twice_acts_once(product: Product) -> None:
    ada = await holder(product)
    async with signed_in(product, Role.RISK) as risk:
        form = await opened(risk, "replace-card", ada.card.id)
        first, second = await form.send(), await form.send()
        assert (first.status_code, second.status_code) == (303, 303)
        record = await risk.get(f"/admin/cards/details/{ada.card.id}")
        assert record.status_code == 200
    await until_told(product)
    cards = await product.rows("SELECT state, replaces_id FROM card ORDER BY id")
    assert [card["state"] for card in cards] == ["closed", "active"]
    assert cards[1]["replaces_id"] == ada.card.id
    assert len((await product.call("GET", "/v1/issuing/cards"))["data"]) == 2


async def test_who_may_not_is_refused_and_changes_nothing(product: Product) -> None:
    ada = await holder(product)
    async with AsyncExitStack() as stack:
        support = await stack.enter_async_context(signed_in(product, Role.SUPPORT))
        for role in (Role.FINANCE, Role.AUDITOR):
            client = await stack.enter_async_context(signed_in(product, role))
            path = f"/admin/act/close-card/{ada.card.id}"
            assert (await client.get(path)).status_code == 403
            assert (await client.post(path, data={"sure": "yes"})).status_code == 403
            record = await client.get(f"/admin/cards/details/{ada.card.id}")
            assert "/admin/act/" not in record.text
        assert (
            await support.get(f"/admin/act/close-customer/{ada.customer.id}")
        ).status_code == 403
        assert (await support.get("/admin/act/close-card/nobody")).status_code == 404
        assert (await support.get(f"/admin/act/no-such/{ada.card.id}")).status_code == 404
    [card] = await product.rows("SELECT state FROM card")
    assert card["state"] == "active"


async def test_a_customer_is_frozen_thawed_limited_signed_out_and_closed(product: Product) -> None:
    ada = await holder(product, cards=2)
    bought = await pay(product, ada.card, 1999)
    key = ada.customer.id
    async with signed_in(product, Role.RISK) as risk:
        assert (await act(risk, "freeze-customer", key)).status_code == 303
        await until_told(product)
        assert (await pay(product, ada.cards[1], 1999))["approved"] is False
        assert (await act(risk, "unfreeze-customer", key)).status_code == 303
        over = await act(risk, "limit-customer", key, exposure="20,000.01")
        assert field_problem(over, "exposure") == "An amount from 0.00 to 20,000.00."
        assert (await act(risk, "limit-customer", key, exposure="30.00")).status_code == 303
        async with entered(product, ada.customer) as browser:
            assert (await act(risk, "sign-out-customer", key)).status_code == 303
            assert (await browser.get("/dashboard")).status_code == 303
        await until_told(product)
        assert (await pay(product, ada.cards[1], 1999))["approved"] is False
        assert (await act(risk, "close-customer", key)).status_code == 303
    await until_told(product)
    await product.call("POST", f"/v1/test_helpers/issuing/authorizations/{bought['id']}/capture")
    await oracle(product)
    cards = await product.rows("SELECT state FROM card")
    assert {card["state"] for card in cards} == {"closed"}
    listed = (await product.call("GET", "/v1/issuing/cards"))["data"]
    assert {card["status"] for card in listed} == {"canceled"}
    [charge] = await product.rows("SELECT captured_minor FROM charge WHERE state = 'captured'")
    assert charge["captured_minor"] == 2149
