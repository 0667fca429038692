"""The second step: set up with an app, asked for after the password, and not got round."""

import re
from datetime import UTC, datetime, timedelta

import httpx
import pyotp

from tests.portal import EMAIL, PASSWORD, browser, letters, link_in, send, sign_in, signed_up
from tests.product import Product

SETUP = "/settings/second-step"


def secret_on(page: httpx.Response) -> str:
    found = re.search(r'<code class="key">([A-Z2-7 ]+)</code>', page.text)
    assert found, page.text
    return found[1].replace(" ", "")


def code(secret: str, steps: int = 0) -> str:
    """Give the code of this half minute, or of the one before or after."""
    return pyotp.TOTP(secret).at(datetime.now(UTC) + timedelta(seconds=30 * steps))


async def set_up(client: httpx.AsyncClient) -> tuple[str, list[str], str]:
    """Turn the second step on; give the secret, the recovery codes, and the code that was used."""
    begun = await send(client, f"{SETUP}/begin", {}, opened="/settings")
    assert begun.headers["location"] == SETUP
    page = await client.get(SETUP)
    assert "<svg" in page.text
    secret = secret_on(page)
    used = code(secret)
    wrong = await send(client, f"{SETUP}/confirm", {"code": "000000"}, opened=SETUP)
    assert wrong.status_code == 401
    done = await send(client, f"{SETUP}/confirm", {"code": used}, opened=SETUP)
    codes = codes_on(done)
    assert len(set(codes)) == 10
    return secret, codes, used


def codes_on(page: httpx.Response) -> list[str]:
    return re.findall(r"<li><code>([a-z0-9-]{14})</code>", page.text)


async def test_the_password_alone_opens_nothing_any_more(product: Product) -> None:
    async with signed_up(product) as client:
        secret, codes, used = await set_up(client)
        await letters(product, "second_step")
        kept = str(await product.rows("SELECT * FROM second_step"))
        assert secret not in kept
        kept = str(await product.rows("SELECT * FROM customer_recovery_code"))
        assert not any(one in kept for one in codes)
    async with browser(product) as thief:
        half = await sign_in(thief)
        assert half.headers["location"].startswith("/sign-in/code")
        for path in ("/settings", "/dashboard", "/live", "/onboarding"):
            assert (await thief.get(path)).headers["location"].startswith("/sign-in")
        # The code that turned it on is not good again.
        assert (await send(thief, "/sign-in/code", {"code": used})).status_code == 401
        before = thief.cookies.get("proxycard_customer")
        fresh = code(secret, 1)
        entered = await send(thief, "/sign-in/code", {"code": fresh})
        assert entered.headers["location"] == "/dashboard"
        assert thief.cookies.get("proxycard_customer") != before
        assert (await thief.get("/settings")).status_code == 200
    async with browser(product) as again:
        await sign_in(again, next="/settings")
        page = await again.get("/sign-in/code")
        assert page.status_code == 200
        assert (await send(again, "/sign-in/code", {"code": fresh})).status_code == 401
        entered = await send(
            again, "/sign-in/code", {"code": codes[0].upper(), "next": "/settings"}
        )
        assert entered.headers["location"] == "/settings"
    async with browser(product) as twice:
        await sign_in(twice)
        assert (await send(twice, "/sign-in/code", {"code": codes[0]})).status_code == 401


async def test_guessing_codes_is_slowed_down_and_a_half_session_is_short(product: Product) -> None:
    async with signed_up(product) as client:
        await set_up(client)
    async with browser(product) as thief:
        await sign_in(thief)
        answers = [
            (await send(thief, "/sign-in/code", {"code": "123456"})).status_code for _ in range(6)
        ]
        assert answers[0] == 401
        assert answers[-1] == 429
        await product.as_owner("UPDATE customer_session SET created_at = now() - interval '11 min'")
        assert (await thief.get("/sign-in/code")).headers["location"] == "/sign-in"
    async with browser(product) as stranger:
        assert (await stranger.get("/sign-in/code")).headers["location"] == "/sign-in"


async def test_a_reset_leaves_it_on_and_the_password_again_wants_a_code(product: Product) -> None:
    new = "another password of hers"
    async with signed_up(product) as client:
        secret, codes, _ = await set_up(client)
        fields = {"password": PASSWORD, "next": "/settings"}
        refused = await send(client, "/password-again", fields)
        assert refused.status_code == 401
        assert "This code is wrong" in refused.text
        given = await send(client, "/password-again", fields | {"code": codes[1]})
        assert given.headers["location"] == "/settings"
    async with browser(product) as forgetful:
        await send(forgetful, "/forgot", {"email": EMAIL})
        link = link_in((await letters(product, "reset_password"))[0])
        token = link.partition("token=")[2]
        await send(forgetful, "/reset", {"token": token, "password": new}, opened=link)
        half = await sign_in(forgetful, password=new)
        assert half.headers["location"].startswith("/sign-in/code")
        await send(forgetful, "/sign-in/code", {"code": code(secret, 1)})
        off = await send(forgetful, f"{SETUP}/off", {}, opened="/settings")
        assert off.headers["location"] == "/settings?done=second-step-off"
        assert "It is off." in (await forgetful.get("/settings")).text
        assert len(await letters(product, "second_step", at_least=2)) == 2
    async with browser(product) as plain:
        entered = await sign_in(plain, password=new)
        assert entered.headers["location"] == "/dashboard"


async def test_recovery_codes_are_made_anew_while_it_stays_on(product: Product) -> None:
    async with signed_up(product) as client:
        nothing = await send(client, f"{SETUP}/recovery-codes", {}, opened="/settings")
        assert nothing.headers["location"] == "/settings"
        _, old, _ = await set_up(client)
        done = await send(client, f"{SETUP}/recovery-codes", {}, opened="/settings")
        new = codes_on(done)
        assert len(set(new)) == 10
        assert not set(new) & set(old)
        assert "It is <strong>on</strong>" in (await client.get("/settings")).text
    async with browser(product) as other:
        await sign_in(other)
        assert (await send(other, "/sign-in/code", {"code": old[0]})).status_code == 401
        entered = await send(other, "/sign-in/code", {"code": new[0]})
        assert entered.headers["location"] == "/dashboard"
        assert "9 recovery codes left" in (await other.get("/settings")).text
    _, told = await letters(product, "second_step", at_least=2)
    assert told["subject"] == "You have new recovery codes"
    [noted] = await product.rows(
        "SELECT actor_kind FROM audit_entry WHERE action = 'customer.new_recovery_codes'"
    )
    assert noted["actor_kind"] == "customer"


async def test_it_is_changed_only_with_the_password_given_just_now(product: Product) -> None:
    async with signed_up(product) as client:
        await product.as_owner(
            "UPDATE customer_session SET password_at = now() - interval '6 minutes'"
        )
        for act in ("begin", "confirm", "recovery-codes", "off"):
            asked = await send(client, f"{SETUP}/{act}", {"code": "123456"}, opened="/settings")
            assert asked.headers["location"] == "/password-again?next=/settings"
        assert (await client.get(SETUP)).headers["location"].startswith("/password-again")
    assert not await product.rows("SELECT 1 FROM second_step")
