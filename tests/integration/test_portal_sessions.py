"""How long a customer's session lasts, on a clock the test holds, and how it is ended."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.identity.audit import Actor
from app.domain.identity.credentials import sign_in
from app.domain.identity.customer_sessions import Browser, current
from app.domain.identity.passwords import hash_password
from app.domain.identity.sign_in import TooManyAttempts, WrongPassword
from app.errors import AppError
from tests.factories import CredentialFactory
from tests.portal import EMAIL, PASSWORD, browser, send, signed_up
from tests.portal import sign_in as sign_in_by_page
from tests.product import Product

START = datetime(2026, 11, 24, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


async def enter(product: Product, now: datetime = START) -> str:
    actor = Actor("visitor", None, "203.0.113.7", "request")
    sessions, device = product.parts.sessions, Browser("a device", "a browser")
    return await sign_in(sessions, EMAIL, PASSWORD, device, actor=actor, now=now)


async def person(product: Product) -> None:
    kept = CredentialFactory.build(email=EMAIL, password_hash=await hash_password(PASSWORD))
    async with product.parts.sessions.begin() as session:
        session.add(kept)


async def test_a_session_ends_after_half_an_hour_idle_and_after_a_day(product: Product) -> None:
    await person(product)
    sessions = product.parts.sessions
    idle = await enter(product)
    assert await current(sessions, idle, START + 29 * MINUTE)
    assert await current(sessions, idle, START + 58 * MINUTE, seen=False)
    assert await current(sessions, idle, START + 60 * MINUTE) is None

    busy, now = await enter(product), START
    while now < START + timedelta(hours=23, minutes=35):
        now += 20 * MINUTE
        assert await current(sessions, busy, now)
    assert await current(sessions, busy, START + timedelta(hours=24)) is None


async def test_a_thousand_guesses_are_hardly_looked_at_and_lock_nobody_out(
    product: Product,
) -> None:
    """From two hundred addresses, so that no address has to wait for its own sake."""
    await person(product)
    sessions, device = product.parts.sessions, Browser("a device", "a browser")

    async def guess(n: int, now: datetime) -> type[Exception]:
        actor = Actor("visitor", None, f"203.0.{n % 200}.7", "request")
        with pytest.raises(AppError) as refused:
            await sign_in(sessions, EMAIL, f"guess number {n}", device, actor=actor, now=now)
        return refused.type

    found: Counter[type[Exception]] = Counter()
    began = datetime.now(UTC)  # what is older than a day, a job deletes
    for minute in range(10):
        now = began + minute * MINUTE
        found.update(await asyncio.gather(*(guess(100 * minute + n, now) for n in range(100))))
    assert found == {WrongPassword: 3 + 9, TooManyAttempts: 1000 - 12}
    assert await enter(product, began + 11 * MINUTE)


async def test_sessions_are_listed_and_ended_one_by_one_or_all_others(product: Product) -> None:
    async with signed_up(product) as client, browser(product) as phone, browser(product) as old:
        await sign_in_by_page(phone)
        await sign_in_by_page(old)
        page = await client.get("/settings")
        assert page.text.count("/end") == 4  # three and the one for all others
        assert page.text.count("this browser") == 1
        [row] = await product.rows("SELECT id FROM customer_session ORDER BY id LIMIT 1 OFFSET 1")
        ended = await send(client, f"/settings/sessions/{row['id']}/end", {}, opened="/settings")
        assert ended.headers["location"] == "/settings?done=sessions"
        assert (await phone.get("/settings")).status_code == 303
        assert (await old.get("/settings")).status_code == 200
        await send(client, "/settings/sessions/others/end", {}, opened="/settings")
        assert (await old.get("/settings")).status_code == 303
        assert (await client.get("/settings")).status_code == 200


async def test_nobody_ends_somebody_elses_session(product: Product) -> None:
    async with signed_up(product) as ada, signed_up(product, "grace@example.com") as grace:
        [row] = await product.rows("SELECT id FROM customer_session ORDER BY id LIMIT 1")
        refused = await send(grace, f"/settings/sessions/{row['id']}/end", {}, opened="/settings")
        assert refused.status_code == 404
        assert (await ada.get("/settings")).status_code == 200
