"""What a customer should see to, the most urgent first. Pure."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec

from app.domain.funding.expiring import last_day
from app.domain.funding.models import FundingSource
from app.domain.identity.states import CustomerState
from app.domain.issuing.debt_stops import Stop
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.lines import Line, PurchaseStatus
from app.domain.issuing.models import Card
from app.domain.issuing.owing import Dues
from app.domain.issuing.remedies import remedy_for
from app.money import readable

EXPIRES_SOON = timedelta(days=30)
DECLINED_LATELY = timedelta(hours=24)


class Matter(StrEnum):
    FROZEN = "frozen"
    REVIEW = "review"
    DEBT = "debt"
    LINK = "link"
    EXPIRED = "expired"
    EXPIRING = "expiring"
    DECLINED = "declined"
    FIRST_CARD = "first_card"


class Attention(msgspec.Struct, frozen=True):
    """One matter. `subject_id`: the purchase or the linked card it is about."""

    matter: Matter
    title: str
    words: str
    subject_id: UUID | None = None


def needing_attention(
    state: CustomerState | None,
    now: datetime,
    *,
    sources: Sequence[FundingSource],
    cards: Sequence[Card],
    dues: Dues,
    stop: Stop | None,
    lines: Sequence[Line],
) -> list[Attention]:
    """Give what needs the customer. `lines`: the latest purchases, newest first."""
    found = [*_account(state), *_debts(dues, stop)]
    if state is not CustomerState.ONBOARDING:
        found += _sources(sources, now)
        if sources and not cards:
            words = "It takes a few seconds, and you can pay with it at once."
            found.append(Attention(Matter.FIRST_CARD, "Open your first virtual card", words))
    return [*found, *_declined(lines, now, is_stopped=stop is not None and stop.is_past)]


def named(source: FundingSource) -> str:
    return f"{source.brand.replace('_', ' ').title()} •••• {source.last4}"


def _account(state: CustomerState | None) -> Iterator[Attention]:
    if state is CustomerState.FROZEN:
        words = "Purchases are declined. Write to us to find out more."
        yield Attention(Matter.FROZEN, "Your account is frozen", words)
    elif state is CustomerState.ONBOARDING:
        words = "Our card partner has not confirmed you yet. Your cards work once it has."
        yield Attention(Matter.REVIEW, "Your account is being checked", words)


def _debts(dues: Dues, stop: Stop | None) -> Iterator[Attention]:
    if not dues.asked:
        return
    words = ["None of your linked cards paid it."]
    if dues.parts:
        words.insert(0, f"{dues.parts}.")
    if dues.advice:
        words.append(dues.advice)
    if stop is not None and stop.is_past:
        words.append("Until it is paid your virtual cards are stopped.")
    elif stop is not None:
        words.append(f"On {stop.at:%-d %B} your virtual cards stop, if it is not paid by then.")
    title = f"${readable(dues.total_minor)} is not paid yet"
    yield Attention(Matter.DEBT, title, " ".join(words))


def _sources(sources: Sequence[FundingSource], now: datetime) -> Iterator[Attention]:
    if not sources:
        words = "Your purchases are charged to it. Without one they are declined."
        yield Attention(Matter.LINK, "Link the card that pays", words)
    for source in sources:
        ends = last_day(source)
        if ends < now.date():
            title, matter = f"{named(source)} has expired", Matter.EXPIRED
        elif ends - now.date() <= EXPIRES_SOON:
            title, matter = f"{named(source)} expires on {ends:%-d %B}", Matter.EXPIRING
        else:
            continue
        yield Attention(matter, title, "Link the new card your bank has sent you.", source.id)


def _declined(lines: Sequence[Line], now: datetime, *, is_stopped: bool) -> Iterator[Attention]:
    """Tell of the newest decline of the last day, unless the same shop was paid afterwards."""
    paid: set[str] = set()
    for line in lines:
        if line.purchase.occurred_at < now - DECLINED_LATELY:
            return
        if line.status is not PurchaseStatus.DECLINED:
            paid.add(line.merchant)
        elif line.merchant not in paid and line.reason is not None:
            title = f"{line.merchant} was declined: ${readable(line.asked_minor)}"
            words = remedy_for(line.reason).words
            if line.reason is DeclineReason.OPEN_DEBT and not is_stopped:
                words = "What stopped your cards is paid, and they work again: pay once more."
            yield Attention(Matter.DECLINED, title, words, line.purchase.id)
            return
