"""Search from anywhere, and a customer on one page."""

from uuid import uuid4

import httpx

from app.domain.identity.states import Role
from app.jobs.catalogue import regular_jobs
from app.jobs.regular import run_named
from tests.back_office import csrf_token_on, member, signed_in
from tests.integration.test_pages_home import said
from tests.product import Product
from tests.situations import Holder, helper, holder, pay, refund

NO_FUNDS = "pm_card_visa_chargeDeclinedInsufficientFunds"


async def bought(product: Product) -> tuple[Holder, Holder, str]:
    """One purchase with a refund, one held, and one that a bank declined."""
    ada = await holder(product)
    bob = await holder(product, email="bob@example.com", sources=(NO_FUNDS,))
    taken = await pay(product, ada.card, 1999)
    await helper(product, taken["id"], "capture")
    await product.settled()
    await refund(product, taken["id"], 500)
    await pay(product, ada.card, 43_20, "Whole Foods")
    await pay(product, bob.card, 77_00, "Shoe Shop")
    await product.settled()
    return ada, bob, str(taken["id"])


async def found(client: httpx.AsyncClient, term: str) -> str:
    """Give what a search says below its box."""
    page = await client.get("/admin/search", params={"q": term})
    return said(page).partition(" Search ")[2].rpartition("Search for Search")[2]


async def test_what_a_caller_says_is_found(product: Product) -> None:
    ada, _, taken = await bought(product)
    [intent] = await product.rows(
        "SELECT stripe_payment_intent_id AS id, stripe_charge_id AS charge FROM charge"
        " WHERE captured_minor = 2149"
    )
    [back] = await product.rows("SELECT stripe_refund_id AS id FROM refund")
    async with signed_in(product, Role.SUPPORT) as client:
        for term, told in {
            "45.86": "Whole Foods held on the linked card 43.20 USD held 45.86 USD approved",
            "43.20": "Whole Foods asked for 43.20 USD",
            "$21.49": "Blue Bottle charged to the linked card 19.99 USD charged 21.49 USD",
            "5.38 USD": "Blue Bottle refunded to the linked card 19.99 USD",
            "77.00": "asked for 77.00 USD — declined bank: insufficient funds: the customer's bank",
            "whole": "Whole Foods merchant 43.20 USD",
            "ada byron": "Ada Byron a•••@e•••.com active",
            "ADA@example.com": "Ada Byron a•••@e•••.com active",
            "(415) 555-0100": "Ada Byron a•••@e•••.com active",
            "+14155550100": "Ada Byron",
            ada.card.last4: f"Card 1 ···· {ada.card.last4} Ada Byron active its purchases",
            "4242": "visa ···· 4242 Ada Byron active its charges",
            "99.99": "Nothing is found for “99.99”.",
            "%": "Nothing is found for “%”.",
        }.items():
            assert told in await found(client, term), term
        refunded = await product.rows("SELECT created_at FROM refund")
        assert f"5.38 USD, {refunded[0]['created_at']:%Y-%m-%d}" in await found(client, "19.99")
        for name in (taken, intent["id"], intent["charge"], back["id"]):
            answer = await client.get("/admin/search", params={"q": name})
            assert answer.status_code == 303, name
            page = await client.get(answer.headers["location"])
            assert "19.99 USD at Blue Bottle" in said(page)
        customer = ada.customer.stripe_customer_id
        answer = await client.get("/admin/search", params={"q": customer})
        assert answer.headers["location"] == f"/admin/customer/{ada.customer.id}"


async def test_what_stripe_booked_and_our_own_ids_are_found(product: Product) -> None:
    ada, _, taken = await bought(product)
    await run_named(product.parts.sessions, regular_jobs(product.parts), "match_balance")
    [purchase] = await product.rows(
        "SELECT id FROM card_authorization WHERE stripe_authorization_id = :name", name=taken
    )
    moved = await product.rows("SELECT * FROM balance_transaction ORDER BY occurred_at")
    own = await product.rows(
        "SELECT stripe_transaction_id AS id FROM card_transaction UNION ALL"
        " SELECT stripe_charge_id FROM charge WHERE captured_minor > 0 UNION ALL"
        " SELECT stripe_refund_id FROM refund UNION ALL"
        " SELECT stripe_authorization_id FROM card_authorization"
        "  WHERE stripe_authorization_id = :name",
        name=taken,
    )
    sources = {row["id"] for row in own}
    theirs = [row for row in moved if row["source"] in sources]
    assert {row["type"] for row in theirs} >= {"charge", "refund", "issuing_transaction"}
    [lost] = await product.rows(
        "SELECT * FROM balance_transaction WHERE type = 'topup' ORDER BY occurred_at LIMIT 1"
    )
    name = lost["stripe_balance_transaction_id"]
    record = f"/admin/balance-transactions/details/{lost['id']}"
    page = f"/admin/purchase/{purchase['id']}"
    async with signed_in(product, Role.FINANCE) as client:
        leads = {row["stripe_balance_transaction_id"]: page for row in theirs} | {
            name: record,
            str(purchase["id"]): page,
            str(purchase["id"]).upper(): page,
            str(ada.customer.id): f"/admin/customer/{ada.customer.id}",
            str(ada.card.id): f"/admin/cards/details/{ada.card.id}",
        }
        for term, address in leads.items():
            answer = await client.get("/admin/search", params={"q": term})
            assert (answer.status_code, answer.headers.get("location")) == (303, address), term
        assert (await client.get(record)).status_code == 200
        for nothing in ("txn_nowhere", str(uuid4())):
            assert f"Nothing is found for “{nothing}”." in await found(client, nothing)
    async with signed_in(product, Role.SUPPORT) as client:
        assert "Nothing is found" in await found(client, name)


async def test_a_customer_is_on_one_page(product: Product) -> None:
    ada, bob, _ = await bought(product)
    address = f"/admin/customer/{ada.customer.id}"
    async with signed_in(product, Role.FINANCE) as client:
        text = said(await client.get(address))
        for told in (
            "Ada Byron active ada@example.com · +14155550100 · San Francisco, US",
            "visa ···· 4242 is linked by 1 other customer too",
            "Spent in 30 days 19.99 USD Our fees on it 1.50 USD",
            "Open now, of 5,000.00 USD 43.20 USD Held on linked cards 45.86 USD Owed 0.00 USD",
            "Owes nothing.",
            "No note yet.",
            "Never signed in.",
            "system customer activate",
        ):
            assert told in text, told
        theirs = said(await client.get(f"/admin/customer/{bob.customer.id}"))
        assert "declined bank: insufficient funds: the customer's bank" in theirs
        missing = await client.get("/admin/customer/00000000-0000-0000-0000-000000000000")
        assert missing.status_code == 404
    reads = await product.rows("SELECT action FROM audit_entry WHERE action = 'customer.read'")
    assert len(reads) == 2


async def test_a_note_stays_under_its_authors_name(product: Product) -> None:
    ada = await holder(product)
    address = f"/admin/customer/{ada.customer.id}"
    async with signed_in(product, Role.SUPPORT) as client:
        page = await client.get(address)
        assert "ada@example.com" not in page.text
        token = {"csrf_token": csrf_token_on(page)}
        evil = "<b>Called</b> about 45.86"
        assert (await client.post(f"{address}/note", data={"text": evil})).status_code == 403
        added = await client.post(f"{address}/note", data=token | {"text": evil})
        assert added.status_code == 303
        page = await client.get(address)
        assert "&lt;b&gt;Called&lt;/b&gt; about 45.86" in page.text
        assert "about 45.86 Grace Hopper, " in said(page)
        empty = await client.post(f"{address}/note", data=token | {"text": "  "})
        assert (empty.status_code, "A note has 1 to 2,000" in empty.text) == (422, True)
        long = await client.post(f"{address}/note", data=token | {"text": "x" * 2001})
        assert long.status_code == 422
    async with signed_in(product, Role.AUDITOR) as client:
        page = await client.get(address)
        assert "A note for the others" not in page.text
        data = {"csrf_token": csrf_token_on(page), "text": "no"}
        assert (await client.post(f"{address}/note", data=data)).status_code == 403
    trail = await product.rows("SELECT after FROM audit_entry WHERE action = 'customer.note'")
    assert len(trail) == 1
    assert "Called" not in str(trail)


async def test_who_is_mentioned_in_a_note_is_told_where_it_stands(product: Product) -> None:
    ada = await holder(product)
    address = f"/admin/customer/{ada.customer.id}"
    for name, email in (("Joan Clarke", "joan@example.com"), ("Alan", "Alan@example.com")):
        await member(product, Role.RISK, email=email, name=name)
    await product.as_owner("UPDATE staff SET state = 'disabled' WHERE name = 'Alan'")
    async with signed_in(product, Role.SUPPORT) as client:
        token = {"csrf_token": csrf_token_on(await client.get(address))}
        for words, told in (
            ("@joan, @JOAN@example.com and @support: see 45.86", True),
            ("joan@example.com, @alan, @nobody, @ 5 and @", False),
        ):
            added = await client.post(f"{address}/note", data=token | {"text": words})
            assert (added.headers["location"] != f"{address}#notes") is told
            page = await client.get(added.headers["location"])
            assert ("is told by mail" in page.text) is told
    [letter] = await product.rows("SELECT * FROM mail WHERE kind = 'mentioned'")
    assert letter["recipient"] == "joan@example.com"
    assert letter["subject"] == "Grace Hopper mentioned you in a note"
    assert f"{{office}}{address}#notes" in letter["text"]
    assert "45.86" not in letter["text"]
    notes = await product.rows(
        "SELECT after FROM audit_entry WHERE action = 'customer.note' ORDER BY created_at"
    )
    assert [row["after"]["told"] for row in notes] == [["Joan Clarke"], []]
