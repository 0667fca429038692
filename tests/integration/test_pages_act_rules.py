"""What staff do about rules, prices and work that stopped, through the pages."""

import html
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID, uuid4

import pytest

from app.domain.identity.states import Role
from app.domain.issuing.rule_reading import LONGEST_NAME
from tests.acting import Form, act, field_problem, opened
from tests.back_office import signed_in
from tests.integration.test_pages_home import said
from tests.oracle import oracle
from tests.product import Product
from tests.situations import holder, pay
from tests.waiting import until


async def test_a_declined_purchase_is_allowed_once(product: Product) -> None:
    ada = await holder(product, blocked_categories=["fast_food_restaurants"])
    assert (await pay(product, ada.card, 1_999))["approved"] is False
    await product.settled()
    [request] = await product.rows("SELECT id, authorization_id FROM authorization_request")
    async with signed_in(product, Role.SUPPORT) as support:
        page = await support.get(f"/admin/purchase/{request['authorization_id']}")
        assert f"/admin/act/allow-once/{request['authorization_id']}" in page.text
        form = await opened(support, "allow-once", request["id"])
        assert "19.99" in form.page.text
        assert (await form.send()).status_code == 303
        assert (await form.send()).status_code == 303
        again = await support.get(form.path)
        assert "It is allowed already, until " in again.text
    assert (await pay(product, ada.card, 1_999))["approved"] is True
    assert (await pay(product, ada.card, 1_999))["approved"] is False
    await oracle(product)
    assert len(await product.rows("SELECT 1 FROM allowance")) == 1


async def test_a_merchant_is_blocked_from_a_purchase_and_free_again(product: Product) -> None:
    ada = await holder(product)
    await pay(product, ada.card, 1_000)
    await product.settled()
    [purchase] = await product.rows("SELECT id FROM card_authorization")
    async with AsyncExitStack() as stack:
        risk = await stack.enter_async_context(signed_in(product, Role.RISK))
        support = await stack.enter_async_context(signed_in(product, Role.SUPPORT))
        assert (await support.get("/admin/act/stop-merchant/new")).status_code == 403
        page = await risk.get(f"/admin/purchase/{purchase['id']}")
        found = page.text.partition("/admin/act/stop-merchant/new?")[2].partition('"')[0]
        typed = dict(parse_qsl(html.unescape(found)))
        assert typed["purchase"] == str(purchase["id"])
        path = f"/admin/act/stop-merchant/new?{html.unescape(found)}"
        form = Form(risk, "/admin/act/stop-merchant/new", await risk.get(path))
        assert f'value="{typed["value"]}"' in form.page.text
        assert "Merchant Blue Bottle" in said(form.page)
        assert "1 of 1 approved requests, 10.00 in all, 1.00 of our fee." in form.page.text
        other = await form.send(value="Nowhere", mode="enforced", look="yes", sure="")
        assert (other.status_code, "None of 1 approved requests." in other.text) == (200, True)
        assert "Blue Bottle" not in said(other)
        wrong = await form.send(value="*", mode="enforced")
        assert (wrong.status_code, bool(field_problem(wrong, "value"))) == (422, True)
        done = await form.send(value=typed["value"], mode="enforced")
        assert done.status_code == 303
        assert (await pay(product, ada.card, 1_000))["approved"] is False
        rule = urlsplit(done.headers["location"]).path.rsplit("/", 1)[1]
        [kept] = await product.rows("SELECT name FROM decision_rule WHERE id = :id", id=UUID(rule))
        assert kept["name"] == f"Stop: merchant Blue Bottle ({typed['value']})"
        assert (await act(risk, "end-rule", rule)).status_code == 303
        ended = await risk.get(f"/admin/act/end-rule/{rule}")
        assert "The rule has ended." in ended.text
    assert (await pay(product, ada.card, 1_000))["approved"] is True


async def test_a_blocked_merchant_is_named_by_a_purchase_at_it_and_by_nothing_else(
    product: Product,
) -> None:
    ada = await holder(product)
    await pay(product, ada.card, 1_000)
    await product.settled()
    [purchase] = await product.rows("SELECT id, merchant_network_id AS id_ FROM card_authorization")
    own, key = f"id:{purchase['id_']}", str(purchase["id"])
    async with signed_in(product, Role.RISK) as risk:
        for value, seen_on in (
            ("id:9999999999", key),
            (own, str(uuid4())),
            (own, "Whole Foods"),
            (own, ""),
        ):
            given = {"value": value, "purchase": seen_on, "merchant": "Whole Foods"}
            path = "/admin/act/stop-merchant/new"
            form = Form(risk, path, await risk.get(path, params=given))
            facts = said(form.page).partition("What will happen")[0]
            assert "Blue Bottle" not in facts, given
            assert "Whole Foods" not in facts, given
            assert (await form.send(value=value, mode="enforced")).status_code == 303, given
            [latest] = await product.rows(
                "SELECT name FROM decision_rule ORDER BY created_at DESC LIMIT 1"
            )
            assert latest["name"] == f"Stop: merchant {value}"
        await product.as_owner(
            "UPDATE card_authorization SET merchant_name = repeat('Long' || chr(8238), 30)"
        )
        given = {"value": own, "purchase": key}
        form = Form(risk, path, await risk.get(path, params=given))
        assert "Merchant Long Long Long" in said(form.page)
        assert (await form.send(value=own, mode="enforced")).status_code == 303
        [latest] = await product.rows(
            "SELECT name FROM decision_rule ORDER BY created_at DESC LIMIT 1"
        )
        assert latest["name"].startswith("Stop: merchant Long Long ")
        assert latest["name"].endswith(f" ({own})")
        assert len(latest["name"]) <= LONGEST_NAME


async def test_a_rule_in_shadow_is_promoted_and_put_back(product: Product) -> None:
    ada = await holder(product)
    async with signed_in(product, Role.RISK) as risk:
        form = await opened(risk, "add-rule", "velocity")
        typed = {
            "scope": "card",
            "minutes": "60",
            "amount": "5.00",
            "name": "Small",
            "mode": "shadow",
        }
        missing = await form.send(**{**typed, "minutes": ""})
        assert (missing.status_code, bool(field_problem(missing, "minutes"))) == (422, True)
        assert 'value="Small"' in missing.text
        done = await form.send(**typed)
        rule = urlsplit(done.headers["location"]).path.rsplit("/", 1)[1]
        assert (await pay(product, ada.card, 1_000))["approved"] is True
        stale = await opened(risk, "promote-rule", rule)
        assert "approved" in stale.page.text
        assert (await act(risk, "promote-rule", rule)).status_code == 303
        assert (await pay(product, ada.card, 1_000))["approved"] is False
        assert (await stale.send()).status_code == 409
        assert (await act(risk, "shadow-rule", rule)).status_code == 303
    assert (await pay(product, ada.card, 1_000))["approved"] is True


async def test_everything_is_stopped_and_goes_on(product: Product) -> None:
    ada = await holder(product)
    async with signed_in(product, Role.RISK) as risk:
        assert "/admin/act/stop-all/new" in (await risk.get("/admin/rules/list")).text
        done = await act(risk, "stop-all", "new", mode="enforced")
        assert (await pay(product, ada.card, 1_000))["approved"] is False
        rule = urlsplit(done.headers["location"]).path.rsplit("/", 1)[1]
        assert (await act(risk, "end-rule", rule)).status_code == 303
        given = {"mode": "enforced", "group": "other"}
        for slug, field, typed, wrong in (
            ("block-category", "categories", "bakeries", "no such thing"),
            ("block-country", "countries", "KP", "Korea"),
            ("stop-funding", "value", "visa/prepaid/*", "visa"),
        ):
            refused = await act(risk, slug, "new", **{**given, field: wrong})
            assert (refused.status_code, bool(field_problem(refused, field))) == (422, True), slug
            added = await act(risk, slug, "new", **{**given, field: typed})
            assert added.status_code == 303, slug
    assert (await pay(product, ada.card, 1_000))["approved"] is True


async def test_another_price_begins_at_its_time(product: Product) -> None:
    typed = {"name": "Spring", "percent": "4.00", "fixed": "0.30", "minimum": "0", "policy": "kept"}
    later = (datetime.now(UTC) + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
    async with AsyncExitStack() as stack:
        admin = await stack.enter_async_context(signed_in(product, Role.ADMIN))
        finance = await stack.enter_async_context(signed_in(product, Role.FINANCE))
        assert (await finance.get("/admin/act/add-price/new")).status_code == 403
        form = await opened(admin, "add-price", "new")
        for wrong, field in (
            ({"from": "2020-01-01T00:00"}, "from"),
            ({"from": "soon"}, "from"),
            ({"from": "9999-12-31T23:59-12:00"}, "from"),
            ({"percent": "30.01"}, "percent"),
            ({"name": ""}, "name"),
            ({"policy": "none"}, "policy"),
        ):
            refused = await form.send(**{**typed, "from": later, **wrong})
            assert (refused.status_code, bool(field_problem(refused, field))) == (422, True), wrong
        assert (await form.send(**{**typed, "from": later})).status_code == 303
    [plan] = await product.rows("SELECT * FROM price_plan WHERE name = 'Spring'")
    assert (plan["percent_bps"], plan["fixed_minor"], plan["refund_fee_policy"]) == (
        400,
        30,
        "kept",
    )


@pytest.mark.parametrize("role", [Role.ADMIN, Role.SUPPORT])
async def test_work_that_stopped_is_run_again_by_admins(product: Product, role: Role) -> None:
    may = role is Role.ADMIN
    async with product.parts.sessions.begin() as session:
        connection = await session.connection()
        made = await connection.exec_driver_sql(
            "INSERT INTO pgqueuer (priority, status, entrypoint, payload)"
            " VALUES (0, 'failed', 'send_mail', convert_to('{\"mail\": \"' || gen_random_uuid()"
            " || '\"}', 'UTF8'))"
            " RETURNING id"
        )
        job = made.scalars().one()
    async with signed_in(product, role) as client:
        for slug, key in (("run-job-again", job), ("run-regular-job", "sealing")):
            page = await client.get(f"/admin/act/{slug}/{key}")
            assert page.status_code == (200 if may else 403), slug
            if may:
                assert (await act(client, slug, key)).status_code == 303, slug
    if may:
        await until(lambda: gone(product, job), why="the job is run")
    actions = await product.rows("SELECT action FROM audit_entry WHERE action ~ '^job' ORDER BY id")
    wanted = ["job.run_again", "job.run_now"] if may else []
    assert [row["action"] for row in actions] == wanted


async def gone(product: Product, job: int) -> bool:
    return not await product.rows("SELECT 1 FROM pgqueuer WHERE id = :id", id=job)


async def test_a_letter_is_sent_again(product: Product) -> None:
    async with product.parts.sessions.begin() as session:
        connection = await session.connection()
        await connection.exec_driver_sql(
            "INSERT INTO mail (id, recipient, kind, subject, text, attempts, state, failure)"
            " VALUES (gen_random_uuid(), 'a@example.com', 'debt', 'You owe', 'Hello', 10,"
            " 'failed', 'no such address')"
        )
    [mail] = await product.rows("SELECT id FROM mail")
    async with signed_in(product, Role.SUPPORT) as support:
        form = await opened(support, "resend-mail", mail["id"])
        assert "a@example.com" not in form.page.text
        assert (await form.send()).status_code == 303
        assert (await form.send()).status_code == 303
    await until(lambda: kept(product), why="the letter is given away or kept")


async def kept(product: Product) -> bool:
    return bool(await product.rows("SELECT 1 FROM mail WHERE state = 'kept'"))
