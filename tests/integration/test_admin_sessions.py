"""How long a session of staff lasts, and how guesses are slowed, on a clock the test holds."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.identity.audit import SYSTEM, Actor
from app.domain.identity.sessions import current
from app.domain.identity.sign_in import TooManyAttempts, WrongPassword, give_password
from app.domain.identity.staff import disable_staff
from app.domain.identity.states import Role
from tests.back_office import PASSWORD, member, session_of
from tests.product import Product

START = datetime(2026, 11, 24, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
EMAIL = "grace@example.com"


async def enter(
    product: Product,
    now: datetime = START,
    *,
    email: str = EMAIL,
    password: str = PASSWORD,
    address: str = "203.0.113.7",
) -> str:
    """Give the password, and the token of the challenge that the code has to follow."""
    actor = Actor("visitor", None, address, "request")
    return await give_password(
        product.parts.sessions, email, password, actor=actor, now=now, demo=True
    )


async def test_a_session_ends_when_idle_and_after_a_working_day(product: Product) -> None:
    await member(product, Role.SUPPORT)
    sessions = product.parts.sessions
    idle = await session_of(product, EMAIL, START)
    assert await current(sessions, idle, START + 14 * MINUTE)
    assert await current(sessions, idle, START + 28 * MINUTE)
    assert await current(sessions, idle, START + 44 * MINUTE) is None

    busy, now = await session_of(product, EMAIL, START), START
    while now < START + timedelta(hours=7, minutes=50):
        now += 10 * MINUTE
        assert await current(sessions, busy, now)
    assert await current(sessions, busy, START + timedelta(hours=8)) is None


async def test_disabling_a_member_ends_every_session_at_once(product: Product) -> None:
    await member(product, Role.SUPPORT)
    tokens = [await session_of(product, EMAIL, START) for _ in range(2)]
    async with product.parts.sessions.begin() as session:
        await disable_staff(session, EMAIL, reason="left", actor=SYSTEM, now=START)
    assert [await current(product.parts.sessions, t, START) for t in tokens] == [None, None]
    with pytest.raises(WrongPassword):
        await enter(product)


async def test_the_wait_doubles_from_the_third_failure_and_success_resets_it(
    product: Product,
) -> None:
    await member(product, Role.SUPPORT)
    now, waits = START, []
    for _ in range(2):
        with pytest.raises(WrongPassword):
            await enter(product, now, password="wrong")
    for _ in range(8):
        with pytest.raises(WrongPassword):
            await enter(product, now, password="wrong")
        with pytest.raises(TooManyAttempts) as refused:
            await enter(product, now)
        waits.append(refused.value.seconds)
        now += timedelta(seconds=waits[-1])
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert await enter(product, now)
    with pytest.raises(WrongPassword):
        await enter(product, now, password="wrong")
    assert await enter(product, now)


async def test_guesses_sent_all_at_once_count_as_well(product: Product) -> None:
    await member(product, Role.SUPPORT)
    guesses = (enter(product, password=f"guess {n}") for n in range(12))
    found = await asyncio.gather(*guesses, return_exceptions=True)
    kinds = [type(outcome) for outcome in found]
    assert kinds.count(WrongPassword) == 3
    assert kinds.count(TooManyAttempts) == 9


async def test_one_address_may_fail_thirty_times_in_a_quarter_of_an_hour(product: Product) -> None:
    await member(product, Role.SUPPORT)
    for n in range(30):
        with pytest.raises(WrongPassword):
            await enter(product, START, email=f"guess{n}@example.com", password="wrong")
    with pytest.raises(TooManyAttempts):
        await enter(product, START + MINUTE)
    assert await enter(product, START + MINUTE, address="198.51.100.4")
    assert await enter(product, START + 16 * MINUTE)
