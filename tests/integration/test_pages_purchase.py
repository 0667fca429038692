"""A purchase's page: the whole story of it, and what a merchant does next."""

import re

import httpx
import pytest

from app.domain.identity.states import Role
from tests.back_office import csrf_token_on, signed_in
from tests.integration.test_pages_home import NO_FUNDS, said
from tests.product import Product
from tests.situations import helper, holder, intents, pay, refund, take_refund_back

ACTED = "SELECT action, after FROM audit_entry WHERE action LIKE 'test_purchase.%'"


async def opened(client: httpx.AsyncClient, bought: str) -> httpx.Response:
    return await client.get(f"/admin/purchase/{bought}")


async def act(client: httpx.AsyncClient, bought: str, step: str, **form: str) -> httpx.Response:
    page = await opened(client, bought)
    once = re.search(r'name="once" value="([0-9a-f]{32})"', page.text)
    tokens = {"csrf_token": csrf_token_on(page), "once": once[1] if once else "0" * 32}
    return await client.post(f"/admin/purchase/{bought}/{step}", data=tokens | form)


async def test_an_approved_purchase_tells_all_there_is(product: Product) -> None:
    bought = (await pay(product, (await holder(product)).card, 1999))["id"]
    await product.settled()
    [row] = await product.rows("SELECT id FROM card_authorization")
    async with signed_in(product, Role.SUPPORT) as client:
        page = await opened(client, bought)
        assert said(await opened(client, str(row["id"]))) == said(page)
    text = said(page)
    assert "19.99 USD at Blue Bottle approved" in text
    assert "Approved and funded" in text
    assert "Held on the linked card now 21.49 USD" in text
    assert "Our fee" in text
    assert "visa ···· 4242 1 held 21.49 USD" in text
    assert "Stripe: approved (webhook_approved) · certain" in text
    for step in ("verify", "record", "decide", "hold", "total"):
        assert re.search(rf"{step} [\d.]+ [\d.]+ ms", text), step
    for event in ("issuing_authorization.created", "payment_intent.created"):
        assert event in text
    assert "data-settling" not in page.text


async def test_a_bank_decline_says_why_and_what_to_do(product: Product) -> None:
    ada = await holder(product, sources=(NO_FUNDS,))
    bought = (await pay(product, ada.card, 1999))["id"]
    await product.settled()
    async with signed_in(product, Role.SUPPORT) as client:
        text = said(await opened(client, bought))
    assert "Bank: insufficient funds Whose decision the customer's bank" in text
    assert "The linked card lacks funds or credit." in text
    assert "Your linked card's bank said no: insufficient funds." in text
    assert "Link another card or make another one the default." in text
    assert "declined 21.49 USD 0.00 USD 0.00 USD insufficient funds" in text
    assert "Held on the linked card now 0.00 USD" in text
    # Nobody can keep a merchant from capturing all the same; nothing else is left to do.
    assert re.search(r"all of it\. Force a capture The books", text), text


STEPS = {
    "capture": ("", "Profit earned (gross) 1.50 USD", "succeeded"),
    "reverse": ("", "Held on the linked card now 0.00 USD", "canceled"),
    "expire": ("", "Held on the linked card now 0.00 USD", "canceled"),
    "increment": ("5.00", "Asked for 24.99 USD", "requires_capture"),
}


@pytest.mark.parametrize("step", STEPS)
async def test_what_the_merchant_does_next_is_done_settled_and_on_the_trail(
    product: Product, step: str
) -> None:
    ada = await holder(product)
    bought = (await pay(product, ada.card, 1999))["id"]
    await product.settled()
    amount, told, status = STEPS[step]
    async with signed_in(product, Role.SUPPORT) as client:
        done = await act(client, bought, step, amount=amount)
        assert done.status_code == 303, done.text
        assert told in said(await client.get(done.headers["location"]))
    assert {i["status"] for i in await intents(product, ada.customer.stripe_customer_id)} == {
        status
    }
    [entry] = await product.rows(ACTED)
    assert entry["action"] == f"test_purchase.{step}"
    await product.settled()


async def test_part_of_a_purchase_can_be_captured(product: Product) -> None:
    bought = (await pay(product, (await holder(product)).card, 1999))["id"]
    async with signed_in(product, Role.SUPPORT) as client:
        done = await act(client, bought, "capture", amount="10.00")
        await product.settled()
        text = said(await client.get(done.headers["location"]))
    assert "Charged to the linked card 11.00 USD" in text
    assert "Taken by the merchant 10.00 USD" in text
    assert "Profit earned (gross) 1.00 USD" in text
    assert "Net profit 0.38 USD" in text


async def test_what_a_refund_takes_of_the_fee_is_not_earned(product: Product) -> None:
    bought = (await pay(product, (await holder(product)).card, 40_00))["id"]
    await helper(product, bought, "capture", capture_amount=48_00)
    await product.settled()
    await refund(product, bought, 10_00)
    await product.settled()
    [row] = await product.rows("SELECT id FROM card_authorization")
    async with signed_in(product, Role.SUPPORT) as client:
        text = said(await client.get(f"/admin/purchase/{row['id']}"))
    # 5 % of 48.00 and 0.50, less 2.90 * 10.00 / 48.00.
    assert "Fee earned 2.90 USD Of it returned with refunds 0.60 USD" in text
    assert "Profit earned (gross) 2.30 USD" in text


async def test_the_fee_on_a_refund_that_was_taken_back_is_earned(product: Product) -> None:
    bought = (await pay(product, (await holder(product)).card, 100_00))["id"]
    await helper(product, bought, "capture")
    await product.settled()
    back = await refund(product, bought, 40_00)
    await product.settled()
    await take_refund_back(product, back)
    await product.settled()
    [row] = await product.rows("SELECT id FROM card_authorization")
    async with signed_in(product, Role.SUPPORT) as client:
        text = said(await client.get(f"/admin/purchase/{row['id']}"))
    # docs/ledger.md: 2.20 went back with the 40.00, and came again with them.
    assert "Profit earned (gross) 5.50 USD" in text
    assert "returned with refunds" not in text


async def test_a_refusal_is_a_sentence_and_keeps_what_was_typed(product: Product) -> None:
    bought = (await pay(product, (await holder(product)).card, 1999))["id"]
    await product.settled()
    async with signed_in(product, Role.SUPPORT) as client:
        for step, amount, sentence in (
            ("increment", "", "An increment wants an amount, like 5.00"),
            ("capture", "ten", "“ten” is not an amount like 19.99"),
            ("reverse", "500.00", "Stripe refused this"),
        ):
            refused = await act(client, bought, step, amount=amount)
            assert refused.status_code == 422
            assert sentence in said_refused(refused)
            assert f'value="{amount}"' in refused.text
        assert (await act(client, bought, "explode")).status_code == 404
    assert await product.rows(ACTED) == []


def said_refused(page: httpx.Response) -> str:
    found = re.search(r'role="alert">([^<]*)<', page.text)
    assert found, page.text
    return found[1]


async def test_what_stripe_says_comes_apart_and_may_fail(product: Product) -> None:
    bought = (await pay(product, (await holder(product)).card, 1999))["id"]
    await product.settled()
    down = {
        "method": "GET",
        "path": f"/v1/issuing/authorizations/{bought}",
        "action": "status",
        "status": 500,
        "times": 9,
    }
    async with signed_in(product, Role.AUDITOR) as client:
        heard = said(await client.get(f"/admin/purchase/{bought}/live"))
        assert "Authorization pending, approved, 19.99 USD" in heard
        assert re.search(r"PaymentIntent pi_\w+ ?: held 21.49 USD", heard)
        await product.control("faults", down)
        assert "19.99 USD at Blue Bottle" in said(await opened(client, bought))
        silent = await client.get(f"/admin/purchase/{bought}/live")
        assert "Stripe did not answer now" in silent.text


async def test_an_auditor_reads_and_changes_nothing(product: Product) -> None:
    bought = (await pay(product, (await holder(product)).card, 1999))["id"]
    await product.settled()
    async with signed_in(product, Role.AUDITOR) as client:
        page = await opened(client, bought)
        assert "What the merchant does next" not in page.text
        assert (await act(client, bought, "capture")).status_code == 403


@pytest.mark.parametrize(
    "name", ["iauth_nobodys", "nothing", "00000000-0000-0000-0000-000000000000", "%00", "%F0%9F"]
)
async def test_a_purchase_that_is_none_is_not_found(product: Product, name: str) -> None:
    async with signed_in(product, Role.SUPPORT) as client:
        assert (await opened(client, name)).status_code == 404


async def test_a_merchants_name_is_only_text(product: Product) -> None:
    evil = "<script>alert(1)</script>"
    bought = (await pay(product, (await holder(product)).card, 1999, evil))["id"]
    await product.settled()
    async with signed_in(product, Role.SUPPORT) as client:
        for address in ("/admin/", f"/admin/purchase/{bought}"):
            page = await client.get(address)
            assert evil not in page.text
            assert "&lt;script&gt;alert(1)" in page.text


async def test_what_is_not_handled_stands_out(product: Product) -> None:
    bought = (await pay(product, (await holder(product)).card, 1999))["id"]
    await product.settled()
    await product.as_owner("UPDATE card_authorization SET not_handled = 'a bank sent 5.00 back'")
    async with signed_in(product, Role.SUPPORT) as client:
        text = said(await opened(client, bought))
    assert "Not handled yet: a bank sent 5.00 back" in text


async def test_what_each_check_said_is_on_the_page_and_names_the_rule(product: Product) -> None:
    ada = await holder(product)
    gambling = {"merchant_data[category]": "betting_casino_gambling"}
    bought = (await pay(product, ada.card, 1999, **gambling))["id"]
    await product.settled()
    async with signed_in(product, Role.SUPPORT) as client:
        page = await opened(client, bought)
        href = re.search(r'href="(/admin/rules/details/[0-9a-f-]{36})">Gambling<', page.text)
        assert href
        rule = await client.get(href[1])
    text = said(page)
    assert "Card, this day 0.00 of 1,000.00 used" in text
    assert "Linked cards visa ···· 4242 (credit, US)" in text
    assert "merchant lock passed" in text
    assert "closed categories: Gambling refused gambling not allowed" in text
    assert "velocity:" not in text
    assert "merchants of these kinds (gambling): betting casino gambling" in said(rule)


async def test_a_request_that_nobody_asked_us_about_has_no_record_and_says_so(
    product: Product,
) -> None:
    ada = await holder(product)
    path = f"/v1/issuing/cards/{ada.card.stripe_card_id}"
    assert (await product.call("POST", path, status="inactive"))["status"] == "inactive"
    bought = (await pay(product, ada.card, 1999))["id"]
    await product.settled()
    async with signed_in(product, Role.SUPPORT) as client:
        text = said(await opened(client, bought))
    assert "Stripe decided this one without asking us, so no check of ours ran." in text


async def test_one_line_of_time_with_running_totals(product: Product) -> None:
    bought = (await pay(product, (await holder(product)).card, 1999))["id"]
    async with signed_in(product, Role.SUPPORT) as client:
        await act(client, bought, "increment", amount="5.00")
        await act(client, bought, "capture", amount="10.00", more="yes")
        await act(client, bought, "capture", amount="20.00")
        await act(client, bought, "refund", amount="4.00")
        await product.settled()
        done = await act(client, bought, "reverse_refund", amount="1.00")
        assert done.status_code == 303, done.text
        text = said(await opened(client, bought))
    for said_ in (
        "answer request 1 approved after",
        "merchant Blue Bottle took 10.00, our fee",
        "merchant Blue Bottle took 20.00, our fee",
        "20.00 from 1020 Stripe Issuing balance (the float) to 2000 Customer funds",
        "what merchants took beyond it",
        "refund we ask to give back",
        "Blue Bottle took its refund of 1.00 back",
        "our fee on a refund is ours again 0.07 from 4010 Fee returned on refunds",
    ):
        assert said_ in text, said_
    # Authorized, held by the network, captured, refunded, charged, fee earned, owed.
    assert text.endswith("Now 24.99 0.00 30.00 3.00 28.80 1.80 0.00"), text[-80:]


async def test_a_capture_that_nobody_was_asked_about_is_named_so(product: Product) -> None:
    ada = await holder(product)
    path = "/v1/test_helpers/issuing/transactions/create_force_capture"
    taken = await product.call("POST", path, card=ada.card.stripe_card_id, amount=1200)
    await product.settled()
    async with signed_in(product, Role.SUPPORT) as client:
        text = said(await opened(client, taken["id"]))
        live = said(await client.get(f"/admin/purchase/{taken['id']}/live"))
    assert "12.00 USD at" in text
    assert "Forced capture: the merchant took this without asking" in text
    assert "None: the merchant captured without an authorization." in text
    assert "Captured without an authorization" in live
    assert text.endswith("Now 0.00 0.00 12.00 0.00 13.10 1.10 0.00"), text[-80:]


async def test_a_step_that_is_not_possible_now_is_refused(product: Product) -> None:
    bought = (await pay(product, (await holder(product)).card, 1999))["id"]
    await product.settled()
    async with signed_in(product, Role.SUPPORT) as client:
        for step, form, sentence in (
            ("refund", {}, "This cannot be done now: the purchase is pending."),
            ("capture", {"subject": "iauth_other"}, "This cannot be done now"),
            ("finalize_amount", {}, "The final amount wants an amount, like 5.00"),
        ):
            refused = await act(client, bought, step, **form)
            assert refused.status_code in {409, 422}
            assert sentence in said_refused(refused)
    assert await product.rows(ACTED) == []
