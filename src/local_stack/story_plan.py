"""Plans the ordinary days of the demo's story: who buys what when, and how it ends. Seeded."""

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from enum import StrEnum

import msgspec

from local_stack.demo_people import AMEX, MASTERCARD, VISA, DemoCustomer, Owned, Profile
from local_stack.story_shops import SHOPS, Shop

SEED = 20_260_101
_WEEK = (0.8, 0.85, 0.95, 1.0, 1.3, 1.5, 0.9)
"""Monday first."""
_HOURS = (1, 1, 1, 1, 1, 2, 4, 8, 10, 8, 7, 9, 14, 12, 8, 7, 8, 10, 14, 15, 12, 8, 5, 3)
"""How much is bought in each hour of a day, midnight first."""
_FIRST_NAMES = (
    *("Alma", "Boris", "Clara", "Dmitri", "Elena", "Felix", "Greta", "Hugo", "Iris", "Jules"),
    *("Karim", "Lena", "Marco", "Nina", "Omar", "Paula", "Quentin", "Rosa", "Stefan", "Tara"),
)
_LAST_NAMES = (
    *("Abbott", "Brandt", "Castillo", "Dubois", "Eriksen", "Fischer", "Greene", "Hayashi"),
    *("Ibrahim", "Jensen", "Keller", "Lopez", "Moreau", "Novak", "Ortiz", "Park", "Quinn"),
    *("Rossi", "Silva", "Tanaka", "Usman", "Vargas", "Walsh", "Young", "Zimmer"),
)
_ADDRESSES = (
    *("2200 Mission St, San Francisco, CA 94110", "418 E 6th St, Austin, TX 78701"),
    *("77 Massachusetts Ave, Cambridge, MA 02139", "400 Broad St, Seattle, WA 98109"),
    *("1437 Bannock St, Denver, CO 80202", "350 5th Ave, New York, NY 10118"),
)
_LINKED = ((VISA,), (MASTERCARD,), (VISA, MASTERCARD), (AMEX,), ("pm_card_visa_debit",), (VISA,))
JOINS_WITHIN = 0.6
"""The last customer has joined when this share of the days has passed."""


class Ending(StrEnum):
    """What the merchant does with a purchase."""

    CAPTURE = "capture"
    TIP = "tip"
    REVERSE = "reverse"
    REFUND = "refund"
    PART_REFUND = "part_refund"


class Planned(msgspec.Struct, frozen=True):
    """A purchase: when, by whom (a number), for how much, and its end."""

    at: datetime
    who: int
    amount_minor: int
    shop: Shop
    ending: Ending
    taken_after: timedelta
    returned_after: timedelta

    def of_at_most(self, amount_minor: int) -> "Planned":
        """Give the same purchase, not so dear."""
        return msgspec.structs.replace(self, amount_minor=min(self.amount_minor, amount_minor))

    def taken(self, after: timedelta) -> "Planned":
        """Give the same purchase, with its merchant as quick as this."""
        return msgspec.structs.replace(self, taken_after=after)


def shoppers(count: int, first: int = 0) -> list[DemoCustomer]:
    """Give so many people with a linked card and a virtual one, the same ones for each number."""
    return [_shopper(number) for number in range(first, first + count)]


def joins_at(who: int, count: int, begin: datetime, end: datetime) -> datetime:
    """Say when a customer joins: one after the other."""
    return begin + (end - begin) * (JOINS_WITHIN * who / max(count, 1))


def ordinary_days(
    begin: datetime, end: datetime, customers: int, *, per_day: float, first: int = 0
) -> list[Planned]:
    """Plan what is bought between two moments, in order: four times as much at the end as at first.

    `first` is the number of the first customer.
    """
    chance = random.Random(SEED + first)  # noqa: S311  a story, not a secret
    planned = []
    day = begin.replace(hour=0, minute=0, second=0, microsecond=0)
    while day < end:
        share = max((day - begin) / (end - begin), 0.0)
        wanted = per_day * (0.4 + 1.2 * share) * _WEEK[day.weekday()]
        for _ in range(int(wanted) + (chance.random() < wanted % 1)):
            at = day + _time_of_day(chance)
            there = [w for w in range(customers) if joins_at(w, customers, begin, end) < at]
            if begin < at < end and there:
                planned.append(purchase(chance, at, first + chance.choice(there)))
        day += timedelta(days=1)
    return sorted(planned, key=lambda one: one.at)


def purchase(chance: random.Random, at: datetime, who: int) -> Planned:
    """Choose a shop, an amount and an end."""
    [shop] = chance.choices(SHOPS, [shop.each for shop in SHOPS])
    low, high = shop.least_minor, shop.most_minor
    return Planned(
        at=at,
        who=who,
        amount_minor=int(chance.triangular(low, high, low + (high - low) * 0.3)),
        shop=shop,
        ending=_ending(chance, shop),
        taken_after=timedelta(days=shop.days_until_taken * chance.uniform(0.6, 1.6)),
        returned_after=timedelta(days=chance.uniform(1.5, 7)),
    )


def _ending(chance: random.Random, shop: Shop) -> Ending:
    if chance.random() < shop.reverses:
        return Ending.REVERSE
    if chance.random() < shop.returns:
        return Ending.REFUND if chance.random() < 0.8 else Ending.PART_REFUND  # noqa: PLR2004
    return Ending.TIP if chance.random() < shop.tips else Ending.CAPTURE


def _time_of_day(chance: random.Random) -> timedelta:
    [hour] = chance.choices(range(24), _HOURS)
    return timedelta(hours=hour, seconds=chance.randrange(3600))


def _shopper(number: int) -> DemoCustomer:
    chance = random.Random(SEED + number)  # noqa: S311  a story, not a secret
    first = _FIRST_NAMES[number % len(_FIRST_NAMES)]
    last = _LAST_NAMES[number % len(_LAST_NAMES)]
    profile = Profile(
        f"{first} {last}",
        date(chance.randrange(1955, 2004), chance.randrange(1, 13), chance.randrange(1, 28)),
        f"+1415555{100 + number % 100:04}",
        _ADDRESSES[number % len(_ADDRESSES)],
        f"{first}.{last}.{number + 1}@example.com".lower(),
    )
    return DemoCustomer(profile, _LINKED[number % len(_LINKED)], (Owned("Everyday", ()),))


def spent_by(planned: list[Planned], end: datetime) -> Iterator[int]:
    """Give what each purchase has taken out of the Issuing balance by the end, in cents."""
    for one in planned:
        let_go = one.at + one.taken_after < end
        returned = one.at + one.taken_after + one.returned_after < end
        match one.ending:
            case Ending.REVERSE:
                yield 0 if let_go else one.amount_minor
            case Ending.REFUND:
                yield 0 if returned else one.amount_minor
            case Ending.PART_REFUND:
                yield one.amount_minor - (one.amount_minor // 3 if returned else 0)
            case Ending.TIP:
                yield with_tip(one.amount_minor)
            case Ending.CAPTURE:
                yield one.amount_minor


def with_tip(amount_minor: int) -> int:
    """Add 18 %, as a restaurant's guest does after the card was asked."""
    return amount_minor + amount_minor * 18 // 100
