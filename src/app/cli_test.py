"""`proxycard test`: play the merchant in a terminal, where money is not real."""

import logging
import secrets
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import click
import stripe
import structlog
from sqlalchemy import or_, select

from app.adapters.sandbox_controls import SandboxControls
from app.adapters.stripe_test_helpers import CATEGORIES, Payment, StripeTestHelpers, Unasked
from app.cli_parts import with_parts
from app.countries import COUNTRIES
from app.domain.issuing.models import Authorization, Card, CardTransaction
from app.domain.issuing.settle import TRANSACTION
from app.domain.issuing.story import Story, find_purchase, purchase_that_begins, tell
from app.domain.issuing.story_next import MerchantStep, read_amount, subject_of
from app.domain.issuing.story_time import moments, totals_of
from app.domain.issuing.story_words import account_in_words
from app.domain.issuing.unlinked import UnlinkedTransactions
from app.domain.ledger.balances import Balance, balances_of
from app.errors import AppError
from app.money import parse_amount, readable
from app.parts import Parts

MOST_DAYS = 400


class RealMoney(AppError, status=409):
    """Merchants are played only where no money is real."""


class UnknownCard(AppError, status=404):
    """No card has this id."""


@click.group()
def test() -> None:
    """Play the merchant where money is not real, and see what that does to card and books.

    PURCHASE is Stripe's id, ours, or the beginning of either; CARD is Stripe's id or ours. An
    AMOUNT is typed like 19.99, and without one it is about all there is.
    """


def _step(name: str, step: MerchantStep, told: str) -> None:
    """Add a command for a step on a purchase."""
    takes = [click.argument("purchase")]
    if step is not MerchantStep.EXPIRE:
        takes.append(click.argument("amount", default=""))
    if step is MerchantStep.CAPTURE:
        takes.append(click.option("--more", is_flag=True, help="More captures are to come."))
    if step in (MerchantStep.REFUND, MerchantStep.TAKE_BACK):
        takes.append(
            click.option("--of", "subject", default="", help="Stripe's id of the transaction.")
        )

    def run(purchase: str, amount: str = "", subject: str = "", *, more: bool = False) -> None:
        minor = read_amount(step, amount.strip())
        _play(lambda parts: _take(parts, purchase, step, minor, subject, closes=not more))

    command: Callable[..., None] = run
    for one in reversed(takes):
        command = one(command)
    test.command(name, help=told)(command)


_step("capture", MerchantStep.CAPTURE, "Take the money: as much, less, more, or a part (--more).")
_step("increment", MerchantStep.INCREMENT, "Ask for AMOUNT more.")
_step("reverse", MerchantStep.REVERSE, "Let go of the hold, or of AMOUNT of it.")
_step("finalize", MerchantStep.FINALIZE, "Say what it came to, as a fuel pump does.")
_step("expire", MerchantStep.EXPIRE, "Let the hold lapse.")
_step("refund", MerchantStep.REFUND, "Give back a capture, or AMOUNT of it.")
_step("reverse-refund", MerchantStep.TAKE_BACK, "Take a refund back (offline Stripe only).")
_step("capture-declined", MerchantStep.FORCE, "Capture what was not approved (offline only).")


def _with_card(name: str, told: str, use: Callable[[StripeTestHelpers, Payment], Any]) -> None:
    """Add a command that uses a card at a merchant."""

    @click.argument("card")
    @click.argument("amount")
    @click.option("--merchant", default="Blue Bottle", show_default=True)
    @click.option(
        "--category",
        type=click.Choice(list(CATEGORIES)),
        metavar="WORD",
        default="fast_food_restaurants",
        show_default=True,
        help="One of Stripe's categories.",
    )
    @click.option("--country", default="US", show_default=True)
    def run(card: str, amount: str, merchant: str, category: str, country: str) -> None:
        minor = parse_amount(amount)

        async def work(parts: Parts) -> None:
            found = await _card(parts, card)
            key = f"{name}:{secrets.token_hex(16)}"
            paid = Payment(
                key,
                found.stripe_card_id,
                minor,
                found.currency,
                merchant[:60],
                category,
                _country(country),
            )
            await _settle_and_show(parts, await use(_helpers(parts), paid))

        _play(work)

    test.command(name, help=told)(run)


_with_card("pay", "Use CARD for AMOUNT.", lambda helpers, paid: helpers.pay(paid))
_with_card(
    "force-capture",
    "Take AMOUNT from CARD without asking.",
    lambda helpers, paid: helpers.unasked(Unasked.CAPTURE, paid),
)
_with_card(
    "unlinked-refund",
    "Give AMOUNT to CARD without saying for which purchase.",
    lambda helpers, paid: helpers.unasked(Unasked.REFUND, paid),
)


@test.command("move-clock")
@click.argument("days", type=click.IntRange(1, MOST_DAYS))
def move_clock(days: int) -> None:
    """Move the time of the offline Stripe, and so of the product, on by DAYS."""

    async def work(parts: Parts) -> None:
        url = parts.settings.sandbox_url
        if url is None:
            raise RealMoney("Only the offline Stripe's time can be moved.")
        parts.clock.offset = await SandboxControls(url).move_clock(timedelta(days=days))
        click.echo(f"It is {parts.clock.now():%Y-%m-%d %H:%M} UTC now for Stripe and for us.")

    _play(work)


def _country(typed: str) -> str:
    if typed.upper() not in COUNTRIES:
        raise click.BadParameter(f"“{typed[:40]}” is no country's two letters, like US.")
    return typed.upper()


def _play(work: Callable[[Parts], Awaitable[None]]) -> None:
    """Do the work with a product's parts, without a log between its lines. Raises RealMoney."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))

    async def where_no_money_is_real(parts: Parts) -> None:
        if parts.settings.livemode:
            raise RealMoney("Merchants are played only where no money is real: the key is live.")
        await work(parts)

    with_parts(where_no_money_is_real)


def _helpers(parts: Parts) -> StripeTestHelpers:
    return StripeTestHelpers(parts.stripe.other, parts.settings.sandbox_url)


async def _take(
    parts: Parts,
    purchase: str,
    step: MerchantStep,
    minor: int | None,
    subject: str,
    *,
    closes: bool,
) -> None:
    async with parts.sessions() as session:
        told = await tell(session, await purchase_that_begins(session, purchase))
    about = subject_of(told, step, subject, simulated=parts.settings.simulated)
    key = f"{step}:{secrets.token_hex(16)}"
    done = await _helpers(parts).finish(step, about, minor, key, closes=closes)
    await _settle_and_show(parts, done)


async def _card(parts: Parts, key: str) -> Card:
    ours = Card.stripe_card_id == key
    with suppress(ValueError):
        ours = or_(ours, Card.id == UUID(key))
    async with parts.sessions() as session:
        found = await session.scalar(select(Card).where(ours))
    if found is None:
        raise UnknownCard(f"no card has the id “{key[:60]}”")
    return found


async def _settle_and_show(parts: Parts, stripe_id: str) -> None:
    """Settle what the merchant did, and print what it did to linked card and books."""
    try:
        if stripe_id.startswith(TRANSACTION):
            await UnlinkedTransactions(parts.sessions, parts.settler).look_up(stripe_id)
        else:
            await parts.settler.settle(stripe_id)
    except (AppError, stripe.StripeError):
        click.echo("Done at Stripe; the worker settles it when Stripe's event comes.")
    async with parts.sessions() as session:
        purchase = await find_purchase(session, stripe_id)
        if purchase is None:
            known = CardTransaction.stripe_transaction_id == stripe_id
            purchase = await session.scalar(
                select(Authorization)
                .join(CardTransaction, CardTransaction.authorization_id == Authorization.id)
                .where(known)
            )
        if purchase is None:
            click.echo(f"{stripe_id} belongs to no purchase: a person must say which.")
            return
        told, balances = await tell(session, purchase), await balances_of(session, purchase.id)
    for line in _lines(told, balances):
        click.echo(line)


def _lines(told: Story, balances: list[Balance]) -> Iterator[str]:
    purchase, held = told.purchase, told.funding
    state = "forced capture" if purchase.forced else purchase.state.value
    yield f"{readable(told.asked_minor)} at {purchase.merchant_name}, {state}"
    sums = totals_of(moments(told)).in_words
    yield "  " + ", ".join(f"{title} {readable(minor)}" for title, minor in sums)
    yield (
        f"  linked card: held {readable(held.held_minor)}, charged {readable(held.charged_minor)},"
        f" given back {readable(held.refunded_minor)}"
    )
    for one in balances:
        account = account_in_words(one.account.value)
        yield f"  {account:<42} {one.layer:<7}{readable(one.net_minor):>12}"
    yield f"  `proxycard purchase {purchase.stripe_authorization_id}` tells how it came to this."
