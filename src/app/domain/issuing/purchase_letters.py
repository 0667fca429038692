"""The letters about a purchase: approved, declined with the fix, refunded, not paid, charged early.

They are put into the outbox in the transaction that writes down how a settlement left the purchase,
each once: the mail names what it is about, and no two mails name the same. What is long over when
we learn of it is not written about.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.funding.models import Charge, FundingSource
from app.domain.funding.states import ChargePurpose, ChargeState, FundingMode
from app.domain.identity.credential_models import Credential
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.given_back import Went, where_it_went
from app.domain.issuing.lines import release_by
from app.domain.issuing.merchant_names import tidy_name
from app.domain.issuing.models import Authorization, AuthorizationRequest, Card, CardTransaction
from app.domain.issuing.owing import TOO_MUCH, Due, dues_at, parts_of
from app.domain.issuing.remedies import Step, remedy_for
from app.domain.issuing.standing import Standing
from app.domain.issuing.states import AuthorizationState, CardState, TransactionKind
from app.domain.issuing.story import journals_of
from app.domain.mailing.models import MailKind
from app.domain.mailing.outbox import Letter, post_once
from app.money import readable

STALE_AFTER = timedelta(days=2)
NEEDS_ACTION = frozenset({Step.LINK, Step.IDENTITY})
"""Steps without which no purchase passes: such a letter cannot be switched off."""
_FROZEN = frozenset({DeclineReason.CARD_FROZEN, DeclineReason.STRIPE_CARD_NOT_ACTIVE})


class Facts(msgspec.Struct, frozen=True):
    """What there is to write about.

    `early`: holds that were taken before the merchant took anything, with their linked cards.
    `went`: where it went what merchants gave back, by Stripe's id of the transaction.
    """

    purchase: Authorization
    card: Card | None
    requests: Sequence[AuthorizationRequest]
    moved: Sequence[CardTransaction]
    dues: Sequence[Due]
    early: Sequence[tuple[Charge, FundingSource | None]]
    went: Mapping[str, Went]


async def write_letters(
    session: AsyncSession,
    purchase: Authorization,
    requests: Sequence[AuthorizationRequest],
    standing: Standing,
    now: datetime,
) -> None:
    """Put the letters that are due into the outbox. `now` is business time."""
    credential = await session.scalar(
        select(Credential).where(Credential.customer_id == purchase.customer_id)
    )
    if credential is None:
        return  # nobody can sign in to read more about it
    card = await session.get(Card, purchase.card_id) if purchase.card_id else None
    dues = dues_at(standing.position, standing.debts, now).asked
    early = [(one, await _source_of(session, one)) for one in _taken_early(standing)]
    moved = standing.transactions
    given = any(_is_news(one, now) for one in moved)
    journals = await journals_of(session, purchase.id) if given else []
    went = where_it_went(journals, standing.refunds)
    facts = Facts(purchase, card, requests, moved, dues, early, went)
    for about, letter in letters_of(facts, now):
        if letter.kind not in credential.mail_off:
            await post_once(
                session, credential.email, letter, about=about, credential_id=credential.id
            )


def letters_of(facts: Facts, now: datetime) -> Iterator[tuple[str, Letter]]:
    """Give each letter with what it is about."""
    where = f"\n\n{{site}}/purchases/{facts.purchase.id}\n\nProxycard\n{{site}}/\n"
    merchant = unlinked(tidy_name(facts.purchase.merchant_name))
    for request in facts.requests:
        if request.amount_minor > 0 and request.requested_at > now - STALE_AFTER:
            yield from _asked(facts, request, merchant, where)
    for moved in facts.moved:
        if _is_news(moved, now):
            went = facts.went.get(moved.stripe_transaction_id) or Went(moved.amount_minor)
            yield f"refunded:{moved.id}", _given_back(went, merchant, where)
    for due in facts.dues:
        yield f"debt:{due.debt.id}", _unpaid(due, merchant, where)
    for charge, source in facts.early:
        yield f"held_charged:{charge.id}", _charged_early(facts, charge, source, where)


def _is_news(moved: CardTransaction, now: datetime) -> bool:
    """Say whether a merchant gave something back not long ago."""
    given = moved.kind is TransactionKind.REFUND and moved.amount_minor > 0
    return given and moved.occurred_at > now - STALE_AFTER


def _given_back(went: Went, merchant: str, where: str) -> Letter:
    given = f"${readable(went.amount_minor)}"
    how = "We pass it on to your linked card, with our fee on it where it comes back."
    if went.onward_minor < went.amount_minor:
        how = went.words
    if went.onward_minor or went.fee_minor:
        how += " Banks take up to ten days to show it."
    text = f"{merchant} gave back {given}. {how}"
    return Letter(MailKind.PURCHASE_REFUNDED, f"Refund: {given} from {merchant}", text + where)


def _unpaid(due: Due, merchant: str, where: str) -> Letter:
    total, taken = f"${readable(due.amount_minor)}", f"${readable(due.principal_minor)}"
    why = f"{merchant} took {taken} more than your linked cards have paid."
    if due.debt.refund_reversed:
        why = f"{merchant} took back {taken} of a refund that you had been given."
    parts = f" With our fee {total} is to be paid: {due.parts}." if due.fee_minor else ""
    again = "We try your linked cards again when you link or confirm one"
    if due.debt.next_attempt_at is not None:
        again = f"We try your linked cards again on {due.debt.next_attempt_at:%-d %B}"
    text = (
        f"{why}{parts} {again}, and after some days your virtual cards stop until it is paid. To"
        f" pay it now, with any card of yours:\n\n{{site}}/funding/pay/{due.debt.id}\n\n"
        "The purchase:"
    )
    if due.is_too_much:
        text = f"{why} {TOO_MUCH} After some days your virtual cards stop until it is paid."
    return Letter(MailKind.DEBT, f"Not paid yet: {total} for {merchant}", text + where)


def _taken_early(standing: Standing) -> list[Charge]:
    """Give the holds that were taken so that they do not lapse: their merchant has not come yet."""
    if standing.position.state is not AuthorizationState.PENDING:
        return []
    return [
        charge
        for charge in standing.charges
        if charge.purpose is ChargePurpose.AUTHORIZATION
        and charge.mode is FundingMode.HOLD
        and charge.state is ChargeState.CAPTURED
    ]


async def _source_of(session: AsyncSession, charge: Charge) -> FundingSource | None:
    if charge.funding_source_id is None:
        return None
    return await session.get(FundingSource, charge.funding_source_id)


def _charged_early(
    facts: Facts, charge: Charge, source: FundingSource | None, where: str
) -> Letter:
    merchant = unlinked(tidy_name(facts.purchase.merchant_name))
    total = f"${readable(charge.captured_minor)}"
    parts = parts_of(charge.principal_minor, charge.captured_minor - charge.principal_minor)
    card = (
        f"your {source.brand.replace('_', ' ').title()} ending in {source.last4}"
        if source
        else "your linked card"
    )
    what = "all of its money" if facts.moved else "its money"
    until = release_by(facts.purchase)
    text = (
        f"{total} was only held on {card} until now, for a purchase at {merchant}; it is charged"
        f" now: {parts}.\n\n"
        f"Why: a bank ends a hold after some days. {merchant} has not taken {what} yet, and still"
        f" may, until {until:%-d %B %Y}; by then nothing would be held to pay it with.\n\n"
        f"You are not charged again when {merchant} takes it. What it does not take comes back to"
        " the same card by itself, with our fee on it.\n\nThe purchase:"
    )
    subject = f"Charged, no longer only held: {total} for {merchant}"
    return Letter(MailKind.HOLD_CHARGED, subject, text + where)


def _asked(
    facts: Facts, request: AuthorizationRequest, merchant: str, where: str
) -> Iterator[tuple[str, Letter]]:
    asked = f"${readable(request.approved_minor or request.amount_minor)}"
    card = f"{facts.card.nickname} (ending in {facts.card.last4})" if facts.card else "your card"
    if request.stripe_approved:
        more = " more" if request.ordinal else ""
        text = (
            f"{merchant} asked for {asked}{more} with {card}, and the purchase was approved. Our"
            f" fee on it is ${readable(request.fee_minor)}. Both are on your linked card.\n\n"
            "If this was not you, freeze the card at once. Every cent of the purchase:"
        )
        letter = Letter(
            MailKind.PURCHASE_APPROVED, f"Approved: {asked} at {merchant}", text + where
        )
        yield f"approved:{request.id}", letter
    elif request.stripe_approved is False and not _is_frozen(facts.card, request.reason):
        reason = request.reason or DeclineReason.STRIPE_DECLINED
        remedy = remedy_for(reason)
        kind = MailKind.PURCHASE_DECLINED
        if remedy.step in NEEDS_ACTION:
            kind = MailKind.ACTION_NEEDED
        text = (
            f"{merchant} asked for {asked} with {card}, and the purchase was declined.\n\n"
            f"Why: {EXPLANATIONS[reason].customer}\n\nWhat to do: {remedy.words}"
        )
        yield (
            f"declined:{request.id}",
            Letter(kind, f"Declined: {asked} at {merchant}", text + where),
        )


def _is_frozen(card: Card | None, reason: DeclineReason | None) -> bool:
    """Whoever has frozen a card knows why it declines."""
    return reason is DeclineReason.CARD_FROZEN or (
        reason in _FROZEN and card is not None and card.state is CardState.FROZEN
    )


def unlinked(name: str) -> str:
    """Give a merchant's name that no mail program makes a link of."""
    plain = name.replace("://", " ").replace("/", " ")
    return " ".join(plain.replace(".", " ").split()) or "A merchant"
