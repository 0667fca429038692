"""The demo's last part: from the first purchase to closed books, and Stripe asked whether they are.

A merchant takes more than was asked for, and gives a part back; what that did to every account is
read from the books, and our two balances at Stripe are held against theirs.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import click
import msgspec

from app.domain.funding.balance import StripeBalances
from app.domain.issuing.matching import Matcher
from app.domain.issuing.profit import By, ProfitRow, profit, total
from app.domain.issuing.reports import business_day
from app.domain.issuing.story import Story, purchase_that_begins, tell
from app.domain.issuing.story_time import moments, totals_of
from app.domain.issuing.story_totals import Totals
from app.domain.issuing.story_words import account_in_words
from app.domain.ledger.accounts import CLEARING, Account
from app.domain.ledger.balances import Balance, balances_of, trial_balance
from app.domain.ledger.journals import Layer
from app.money import Currency, readable
from local_stack.demo_scene import Scene, until

TIP_MINOR = 400
BACK_MINOR = 500
ROW = "   {:<42} {:<7}{:>14}{:>14}{:>14}"
TRANSACTIONS = "/v1/issuing/transactions"
Say = Callable[[str, str], None]


class Closed(msgspec.Struct, frozen=True):
    """What the books and Stripe say at the end. Amounts in minor units."""

    story: Story
    purchase: list[Balance]
    everything: list[Balance]
    profit: ProfitRow
    stripe: StripeBalances

    @property
    def totals(self) -> Totals:
        return totals_of(moments(self.story))

    @property
    def cleared(self) -> bool:
        """Whether the purchase is in the books and nothing of it is left on a clearing account."""
        open_ones = [one for one in self.purchase if one.account in CLEARING and one.net_minor]
        return bool(self.purchase) and not open_ones

    @property
    def payments_minor(self) -> int:
        return _net(self.everything, Account.PAYMENTS_BALANCE, Layer.POSTED)

    @property
    def issuing_minor(self) -> int:
        """Give the float less what authorizations hold, as Stripe counts it."""
        return sum(_net(self.everything, Account.ISSUING_BALANCE, layer) for layer in Layer)

    @property
    def agrees(self) -> bool:
        return (self.payments_minor, self.issuing_minor) == (
            self.stripe.payments_minor,
            self.stripe.issuing_minor,
        )


async def close_books(scene: Scene, first: dict[str, Any], say: Say) -> bool:
    """Go on with a purchase until its books are closed, and tell it; give whether all is right."""
    name, asked = first["id"], first["request_history"][0]["amount"]
    take = asked + TIP_MINOR
    merchant = first["merchant_data"]["name"]
    say("merchant", f"{merchant} takes {readable(take)}: {readable(TIP_MINOR)} of it a tip")
    await scene.merchants.then(name, "capture", capture_amount=take)
    taken = await _read_when(scene, name, lambda now: now.totals.captured == take and now.cleared)
    fee = readable(taken.totals.earned)
    say("we", f"charged {readable(taken.totals.charged)} to the linked card, {fee} of it our fee")
    [captured] = (await scene.merchants.listed(TRANSACTIONS, card=first["card"]["id"]))[:1]
    say("merchant", f"{merchant} gives {readable(BACK_MINOR)} back")
    await scene.merchants.refund(captured["id"], refund_amount=BACK_MINOR)
    ended = await _read_when(scene, name, lambda now: _is_over(now, BACK_MINOR))
    back = taken.totals.charged - ended.totals.charged
    part = readable(taken.totals.earned - ended.totals.earned)
    say("we", f"gave {readable(back)} back to the linked card, {part} of it our fee")
    for line in _lines(ended):
        click.echo(line)
    return ended.cleared and ended.agrees


def _is_over(now: Closed, back_minor: int) -> bool:
    payable = _net(now.purchase, Account.REFUNDS_PAYABLE, Layer.POSTED)
    return now.totals.refunded == back_minor and now.cleared and payable == 0 and now.agrees


async def _read_when(scene: Scene, name: str, right: Callable[[Closed], bool]) -> Closed:
    """Wait until the books are as they have to be. Raises Failure when they do not become so."""
    found: list[Closed] = []
    parts = scene.parts
    matcher = Matcher(parts.sessions, parts.balance_feed, parts.settler)

    async def so_far() -> bool:
        await matcher.follow()
        found.append(await _read(scene, name))
        return right(found[-1])

    await until(so_far, "the books are closed")
    return found[-1]


async def _read(scene: Scene, name: str) -> Closed:
    parts = scene.parts
    zone, now = ZoneInfo(parts.settings.business_timezone), parts.clock.now()
    day = business_day(now, zone)
    told = await parts.balance_feed.balances(Currency.USD)
    async with parts.sessions() as session:
        purchase = await purchase_that_begins(session, name)
        rows = await profit(session, since=day.start, until=day.end, by=By.DAY, zone=zone)
        return Closed(
            await tell(session, purchase),
            await balances_of(session, purchase.id),
            await trial_balance(session, now + timedelta(minutes=1)),
            total(rows),
            told,
        )


def _lines(ended: Closed) -> Iterator[str]:
    yield f"\n{click.style('Its journals, as they were written', bold=True)}"
    for moment in moments(ended.story):
        if moment.kind == "journal":
            yield f"   {moment.what}"
            yield from (click.style(f"      {line}", dim=True) for line in moment.lines)
    yield from _balances("The purchase in the books: clearing accounts at zero", ended.purchase)
    yield from _balances("Trial balance: everything in the books", ended.everything)
    sums = ended.profit
    yield f"\n{click.style('Profit today, from the same journals', bold=True)}"
    yield (
        f"   earned {readable(sums.gross_minor)} gross, cost {readable(sums.costs_minor)},"
        f" net {readable(sums.net_minor)}"
    )
    yield f"\n{click.style('What Stripe says our balances are, asked now', bold=True)}"
    yield _compared("payments, account 1010", ended.stripe.payments_minor, ended.payments_minor)
    yield _compared("Issuing, account 1020", ended.stripe.issuing_minor, ended.issuing_minor)


def _balances(title: str, balances: list[Balance]) -> Iterator[str]:
    yield f"\n{click.style(title, bold=True)}"
    yield ROW.format("account", "layer", "debit", "credit", "net")
    for one in balances:
        yield ROW.format(
            account_in_words(one.account.value),
            one.layer,
            readable(one.debit_minor),
            readable(one.credit_minor),
            readable(one.net_minor),
        )
    yield ROW.format(
        "sum",
        "",
        readable(sum(one.debit_minor for one in balances)),
        readable(sum(one.credit_minor for one in balances)),
        readable(sum(one.net_minor for one in balances)),
    )


def _compared(what: str, theirs: int, ours: int) -> str:
    same = click.style("ok", fg="green") if theirs == ours else click.style("WRONG", fg="red")
    return f"   {what:<26}{readable(theirs):>14} there, {readable(ours):>14} in our books  {same}"


def _net(balances: list[Balance], account: Account, layer: Layer) -> int:
    found = [one for one in balances if one.account is account and one.layer is layer]
    return sum(one.net_minor for one in found if one.currency == Currency.USD)
