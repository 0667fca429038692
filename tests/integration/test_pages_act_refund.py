"""Staff give money back on their own: to a limit alone, above it two; the books stay true."""

from contextlib import AsyncExitStack

import httpx

from app.domain.identity.states import Role
from tests.acting import Form, act, field_problem, opened
from tests.back_office import csrf_token_on, signed_in
from tests.books import balances, book_problems
from tests.oracle import kept_by_purchase
from tests.product import Product
from tests.situations import LATER_DECLINES, behave, helper, holder, pay, refund, take_refund_back


async def bought(product: Product, amount_minor: int) -> tuple[str, str]:
    """Give Stripe's id and ours of a purchase that its merchant has taken."""
    name, key, _ = await bought_with(product, amount_minor)
    return name, key


async def bought_with(product: Product, amount_minor: int) -> tuple[str, str, str]:
    """Do the same, and give the linked card that paid as well."""
    ada = await holder(product)
    name: str = (await pay(product, ada.card, amount_minor))["id"]
    await helper(product, name, "capture")
    await product.settled()
    [row] = await product.rows("SELECT id FROM card_authorization")
    return name, str(row["id"]), ada.sources[0].stripe_payment_method_id


async def true_books(product: Product, **kept: int) -> dict[str, int]:
    """Wait until all is settled, hold the books against Stripe, and give what expenses stand at."""
    await product.settled()
    assert await book_problems(product) == []
    assert await kept_by_purchase(product) == kept
    found = await balances(product)
    return {code: found.get((code, "posted"), 0) for code in ("5120", "4010", "2100", "2000")}


async def test_what_a_caller_reads_on_a_statement_is_given_back_whole(product: Product) -> None:
    name, key = await bought(product, 4_320)
    async with signed_in(product, Role.SUPPORT) as support:
        page = await support.get(f"/admin/purchase/{key}")
        assert f"/admin/act/refund-purchase/{key}" in page.text
        form = await opened(support, "refund-purchase", key)
        assert "45.86: 43.20 and 2.66 of fee" in form.page.text
        for typed, field in (
            ({"amount": "43.21"}, "amount"),
            ({"amount": "0", "fee": "no"}, "amount"),
            ({"amount": "all"}, "amount"),
            ({"fee": "half"}, "fee"),
            ({"reason": ""}, "reason"),
        ):
            refused = await form.send(**{"amount": "43.20", "fee": "yes", **typed})
            assert (refused.status_code, bool(field_problem(refused, field))) == (422, True), typed
        sent = await form.send(amount="43.20", fee="yes")
        assert sent.status_code == 303
        assert (await form.send(amount="43.20", fee="yes")).status_code == 303
        assert "on its way to the customer" in (await support.get(sent.headers["location"])).text
        again = await support.get(form.path)
        assert "Nothing that the customer paid for it is left" in again.text
    told = await true_books(product, **{name: 0})
    assert told == {"5120": 4_320, "4010": 266, "2100": 0, "2000": 0}
    [one] = await product.rows("SELECT amount_minor, state, purpose FROM refund")
    assert one == {"amount_minor": 4_586, "state": "succeeded", "purpose": "goodwill"}
    [entry] = await product.rows("SELECT after FROM audit_entry WHERE action = 'purchase.refund'")
    assert entry["after"] == {"principal_minor": 4_320, "fee_minor": 266}


async def test_a_merchant_s_refund_covers_ours_first(product: Product) -> None:
    name, key = await bought(product, 4_000)
    async with signed_in(product, Role.SUPPORT) as support:
        form = await opened(support, "refund-purchase", key)
        assert (await form.send(amount="10.00", fee="no")).status_code == 303
        assert (await true_books(product, **{name: 4_250 - 1_000}))["5120"] == 1_000
        stale = await opened(support, "refund-purchase", key)
        back = await refund(product, name, 600)
        await product.settled()
        assert (await stale.send(amount="1.00", fee="no")).status_code == 409
    # 600 of the 1,000 are covered; of the fee of 250 its share goes back by the price's policy.
    told = await true_books(product, **{name: 4_250 - 1_000 - 38})
    assert told == {"5120": 400, "4010": 38, "2100": 0, "2000": 0}
    await refund(product, name, 3_400)
    told = await true_books(product, **{name: 0})
    assert told == {"5120": 0, "4010": 250, "2100": 0, "2000": 0}
    await take_refund_back(product, back)
    # The customer keeps it all, and what the merchant took back is at our cost again.
    told = await true_books(product, **{name: 0})
    assert told == {"5120": 600, "4010": 250, "2100": 0, "2000": 0}


async def test_above_the_limit_two_have_to_agree(product: Product) -> None:
    name, key = await bought(product, 10_000)
    async with AsyncExitStack() as stack:
        support = await stack.enter_async_context(signed_in(product, Role.SUPPORT))
        finance = await stack.enter_async_context(signed_in(product, Role.FINANCE))
        risk = await stack.enter_async_context(signed_in(product, Role.RISK))
        assert (await risk.get(f"/admin/act/refund-purchase/{key}")).status_code == 403
        form = await opened(support, "refund-purchase", key)
        asked = await form.send(amount="50.00", fee="yes")
        assert asked.status_code == 303
        place = asked.headers["location"]
        assert place.startswith("/admin/approval/")
        await product.settled()
        assert await product.rows("SELECT 1 FROM refund") == []
        assert "waits for somebody to approve" in (await support.get(form.path)).text
        assert await approve(support, place) == 403
        assert await approve(risk, place) == 403
        assert await approve(finance, place) == 303
        assert await approve(finance, place) == 409
        await product.settled()
        alone: Form = await opened(support, "refund-purchase", key)
        assert (await alone.send(amount="40.00", fee="no")).status_code == 303
    told = await true_books(product, **{name: 10_550 - 5_000 - 275 - 4_000})
    assert told == {"5120": 9_000, "4010": 275, "2100": 0, "2000": 0}


async def test_our_fee_alone_is_given_back_where_it_is_all_that_is_left(product: Product) -> None:
    name, key = await bought(product, 4_000)
    async with signed_in(product, Role.SUPPORT) as support:
        form = await opened(support, "refund-purchase", key)
        assert (
            "From 0.01 to 40.00; 0.00 gives back our fee alone, all 2.50 of it." in form.page.text
        )
        assert (await form.send(amount="40.00", fee="no")).status_code == 303
        await product.settled()
        form = await opened(support, "refund-purchase", key)
        assert "2.50: 0.00 and 2.50 of fee" in form.page.text
        assert "Nothing of it is left: 0.00 gives back our fee alone" in form.page.text
        assert 'value="0.00"' in form.page.text
        for typed, field in (
            ({"amount": "0.01"}, "amount"),
            ({"amount": ""}, "amount"),
            ({"fee": "no"}, "fee"),
        ):
            refused = await form.send(**{"amount": "0.00", "fee": "yes", **typed})
            assert (refused.status_code, bool(field_problem(refused, field))) == (422, True), typed
        assert (await form.send(amount="0.00", fee="yes")).status_code == 303
        told = await true_books(product, **{name: 0})
        assert told == {"5120": 4_000, "4010": 250, "2100": 0, "2000": 0}
        page = await support.get(f"/admin/purchase/{key}")
        assert "refund-purchase" not in page.text


async def test_our_fee_alone_is_given_back_and_the_rest_later(product: Product) -> None:
    name, key = await bought(product, 4_000)
    async with signed_in(product, Role.SUPPORT) as support:
        assert (
            await act(support, "refund-purchase", key, amount="0", fee="yes")
        ).status_code == 303
        told = await true_books(product, **{name: 4_000})
        assert told == {"5120": 0, "4010": 250, "2100": 0, "2000": 0}
        form = await opened(support, "refund-purchase", key)
        assert "40.00: 40.00 and 0.00 of fee" in form.page.text
        assert (await form.send(amount="0", fee="yes")).status_code == 422
        assert (await form.send(amount="10.00", fee="yes")).status_code == 303
    told = await true_books(product, **{name: 3_000})
    assert told == {"5120": 1_000, "4010": 250, "2100": 0, "2000": 0}
    await refund(product, name, 4_000)
    told = await true_books(product, **{name: 0})
    assert told == {"5120": 0, "4010": 250, "2100": 0, "2000": 0}


async def test_what_is_owed_again_and_not_paid_is_not_offered(product: Product) -> None:
    name, key, card = await bought_with(product, 4_000)
    back = await refund(product, name, 1_500)
    await product.settled()
    await behave(product, card, LATER_DECLINES)
    await take_refund_back(product, back)
    await product.settled()
    async with signed_in(product, Role.SUPPORT) as support:
        form = await opened(support, "refund-purchase", key)
        assert "26.56: 25.00 and 1.56 of fee" in form.page.text
        assert (await form.send(amount="25.01", fee="yes")).status_code == 422
        assert (await form.send(amount="25.00", fee="yes")).status_code == 303
    told = await true_books(product, **{name: 0})
    assert (told["5120"], told["2100"]) == (2_500, 0)


async def test_what_the_merchant_may_still_take_waits(product: Product) -> None:
    ada = await holder(product)
    await pay(product, ada.card, 2_000)
    await product.settled()
    [row] = await product.rows("SELECT id FROM card_authorization")
    async with signed_in(product, Role.SUPPORT) as support:
        page = await support.get(f"/admin/act/refund-purchase/{row['id']}")
        assert "wait until it has" in page.text
        assert "refund-purchase" not in (await support.get(f"/admin/purchase/{row['id']}")).text


async def approve(client: httpx.AsyncClient, place: str) -> int:
    page = await client.get(place)
    token = csrf_token_on(page)
    sent = await client.post(f"{place}/approve", data={"csrf_token": token})
    return int(sent.status_code)
