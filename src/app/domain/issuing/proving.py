"""Prove the books against what they are about: purchases that ended, and Stripe's two balances."""

import asyncio
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from app.db import Sessions
from app.domain.funding.balance import BalanceFeed, StripeBalances
from app.domain.issuing.clearing import mark_amiss, uncleared
from app.domain.ledger.accounts import Account
from app.domain.ledger.journals import Layer
from app.domain.ledger.rollups import follow, totals
from app.domain.ledger.verify import Check, ledger_checks
from app.money import Currency, readable

LOOKS = 5
SECONDS_BETWEEN = 1.0


class Balances(msgspec.Struct, frozen=True):
    """Our two balances at Stripe, in minor units of US dollars."""

    payments_minor: int
    issuing_minor: int


class Compared(msgspec.Struct, frozen=True):
    """What the books say we have at Stripe, and what Stripe says, at the same cut."""

    ours: Balances
    theirs: Balances


async def prove(sessions: Sessions, zone: ZoneInfo, feed: BalanceFeed | None) -> list[Check]:
    """Check all that must be true of the books. Without `feed`, Stripe is not asked."""
    await follow(sessions, zone)
    await mark_amiss(sessions)
    async with sessions() as session:
        checks = await ledger_checks(session)
        open_ = [
            f"{one.stripe_authorization_id or one.purchase_id}: {one.account} {one.layer} has"
            f" {readable(one.net_minor)} {one.currency.upper()}"
            for one in await uncleared(session)
        ]
    checks.append(Check("2000 and 2300 are zero for every purchase that has ended", open_))
    if feed is not None:
        found = await compare_balances(sessions, feed)
        checks.append(Check("1010 and 1020 are Stripe's balances", list(_told(found))))
    return checks


async def compare_balances(
    sessions: Sessions,
    feed: BalanceFeed,
) -> Compared:
    """Hold our two balances against Stripe's, at the same cut.

    Money moves while we look: only where nothing of ours or of Stripe's changed in between is it
    one cut. That is tried some times, and the last look is given.
    """
    found: Compared | None = None
    for look in range(LOOKS):
        before = await ours(sessions)
        told = await feed.balances(Currency.USD)
        after = await ours(sessions)
        theirs = _theirs(told)
        same_as_before = found is not None and (found.ours, found.theirs) == (after, theirs)
        found = Compared(after, theirs)
        if before == after == theirs or same_as_before:
            break
        if look < LOOKS - 1:
            await asyncio.sleep(SECONDS_BETWEEN)
    assert found is not None
    return found


async def ours(sessions: Sessions) -> Balances:
    """Sum what the books say we have at Stripe."""
    async with sessions() as session:
        return await our_balances(session)


async def our_balances(session: AsyncSession) -> Balances:
    """Give both balances. What an authorization holds is gone from Stripe's Issuing balance."""
    sums = {
        (one.account, one.layer): one.net_minor
        for one in await totals(session)
        if one.currency == Currency.USD
    }
    held = sums.get((Account.ISSUING_BALANCE, Layer.HELD), 0)
    return Balances(
        sums.get((Account.PAYMENTS_BALANCE, Layer.POSTED), 0),
        sums.get((Account.ISSUING_BALANCE, Layer.POSTED), 0) + held,
    )


def _theirs(told: StripeBalances) -> Balances:
    return Balances(told.payments_minor, told.issuing_minor)


def _told(found: Compared) -> list[str]:
    pairs = (
        ("1010", found.ours.payments_minor, found.theirs.payments_minor),
        ("1020", found.ours.issuing_minor, found.theirs.issuing_minor),
    )
    return [
        f"{account} is {readable(our)}, and Stripe has {readable(their)}"
        for account, our, their in pairs
        if our != their
    ]
