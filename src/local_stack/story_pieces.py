"""What happens once in the story: debts, a bad hour, a hotel stay, a refund that fits nothing."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial

from app.domain.funding.receivables import open_debts, write_off
from app.domain.identity.audit import SYSTEM
from local_stack.demo_people import NO_FUNDS, SOFTWARE
from local_stack.story import actor_of, end, join
from local_stack.story_locked_out import locked_out
from local_stack.story_people import (
    OWES,
    OWES_LONG,
    OWES_LONGEST,
    PAYS_LATE,
    PEOPLE,
    TRAVELS,
)
from local_stack.story_refusals import refusals
from local_stack.story_shops import RESTAURANTS
from local_stack.story_stage import Dated, Stage

DAY = timedelta(days=1)
DEBTS = {OWES_LONGEST: 40, OWES_LONG: 12, OWES: 3}
"""How many days ago they came to owe."""
BAD_HOUR_DAYS_AGO = 9
_BAD_HOUR = 16
_TRIES = 14
_CHARGES = "/v1/payment_intents"
HOTEL = ("Hotel Vertigo", "hotels_motels_and_resorts")
LAPSES_AFTER = timedelta(days=7)
"""How long the bank of a linked card keeps a hold."""
OUTLET = "B&H Photo"


def pieces(now: datetime, begin: datetime) -> list[Dated]:
    """Give what happens besides the ordinary days, where the story is long enough for it."""
    happens = [
        *_debts(now),
        *_old_debts(now),
        *_journeys(now),
        *_bad_hour(now),
        *refusals(now),
        *locked_out(now),
    ]
    joining = [
        (min(at for at, _ in happens) - DAY, partial(join, who=who, wanted=one))
        for who, one in PEOPLE.items()
    ]
    first = begin + timedelta(minutes=1)
    return [
        *((max(at, first), act) for at, act in joining),
        *((at, act) for at, act in happens if at > first),
    ]


def _debts(now: datetime) -> Iterator[Dated]:
    for who, days in DEBTS.items():
        # A day more: an age is told in whole days, and begins once the tip was tried in vain.
        yield (
            now - (days + 1) * DAY - timedelta(hours=5),
            partial(dine, who=who, minor=4_000 + days * 10),
        )
        yield now - timedelta(days=1, hours=who % 7), partial(try_again, who=who)


def _old_debts(now: datetime) -> Iterator[Dated]:
    """Owe once and never pay, and owe again and pay when the bank allows it."""
    yield now - 55 * DAY, partial(dine, who=PAYS_LATE, minor=6_200)
    yield now - 34 * DAY, partial(never_paid, who=PAYS_LATE)
    yield now - 33 * DAY, partial(can_pay_again, who=PAYS_LATE)
    yield now - 25 * DAY, partial(dine, who=PAYS_LATE, minor=3_800)
    yield now - 23.5 * DAY, partial(can_pay_again, who=PAYS_LATE)


def _journeys(now: datetime) -> Iterator[Dated]:
    yield now - 4.5 * DAY, check_in
    yield now - 6 * DAY, ship_in_parts
    yield now - LAPSES_AFTER + 1.3 * DAY, order_ahead
    yield now - 2.2 * DAY, give_to_the_wrong_one


def _bad_hour(now: datetime) -> Iterator[Dated]:
    day = (now - BAD_HOUR_DAYS_AGO * DAY).replace(hour=_BAD_HOUR, minute=0, second=0)
    yield day, break_stripe
    # The same moment as far as the story's hours go, and after what breaks.
    yield day + timedelta(hours=1, minutes=5), mend_stripe


async def dine(stage: Stage, *, who: int, minor: int) -> None:
    """Have a meal whose tip the linked card does not pay any more: that is owed then."""
    guest = stage.actors[who]
    made = await stage.pay(guest, minor, "Nopa", RESTAURANTS)
    if made["approved"]:
        await stage.until_worked_off()
        await stage.behave(guest, NO_FUNDS)
        await end(stage, name=made["id"], action="capture", capture_amount=minor + minor // 2)
        await stage.until_worked_off()  # what is owed is so from this day on


async def never_paid(stage: Stage, *, who: int) -> None:
    """Have what is owed given up as lost."""
    parts = stage.parts
    async with parts.sessions() as session:
        debts = await open_debts(session, stage.actors[who].customer.id)
    for debt in debts:
        why = "The restaurant's guest could not be reached for three weeks."
        await write_off(parts.sessions, debt.id, why, actor=SYSTEM, now=stage.now)


async def can_pay_again(stage: Stage, *, who: int) -> None:
    await stage.behave(stage.actors[who])


async def try_again(stage: Stage, *, who: int) -> None:
    """Buy something more, which somebody who owes cannot."""
    await stage.pay(stage.actors[who], 2_350, "Target", "miscellaneous_general_merchandise")


async def check_in(stage: Stage) -> None:
    """Stay three nights, one longer than planned, and have breakfast."""
    guest = stage.actors[TRAVELS]
    made = await stage.pay(guest, 38_000, *HOTEL)
    if made["approved"]:
        name = made["id"]
        stage.then(
            1.5 * DAY, partial(_step, name=name, action="increment", increment_amount=19_000)
        )
        stage.then(3 * DAY, partial(_step, name=name, action="capture", capture_amount=60_450))


async def ship_in_parts(stage: Stage) -> None:
    """Order three things, which are sent and paid one by one."""
    made = await stage.pay(stage.actors[TRAVELS], 24_000, OUTLET, "electronics_stores")
    if made["approved"]:
        for number, minor in enumerate((9_900, 8_600, 5_500)):
            last = "true" if number == 2 else "false"  # noqa: PLR2004  the third
            take = partial(
                _step,
                name=made["id"],
                action="capture",
                capture_amount=minor,
                close_authorization=last,
            )
            stage.then((number + 0.5) * DAY, take)


async def order_ahead(stage: Stage) -> None:
    """Order what is made to measure: the hold on the linked card lapses before it is sent."""
    await stage.pay(stage.actors[TRAVELS], 16_800, "Everlane", "mens_womens_clothing_stores")


async def give_to_the_wrong_one(stage: Stage) -> None:
    """Get money from a shop where nothing was bought with the card."""
    shop = {
        "name": "Harbor Outfitters",
        "category": "sporting_goods_stores",
        "network_id": "482000000731",
        "country": "US",
    }
    await stage.give_unasked(stage.actors[TRAVELS], 3_725, shop)


async def break_stripe(stage: Stage) -> None:
    """Have most charges of an hour fail, and more people than usual try."""
    faults: tuple[Mapping[str, object], ...] = (
        {"action": "status", "status": 429, "times": 5},
        {"action": "status", "status": 500, "times": 4},
    )
    for fault in faults:
        await stage.controls.call("POST", "faults", {"method": "POST", "path": _CHARGES, **fault})
    for number in range(_TRIES):
        who = actor_of(stage, number * 3)
        if who is not None:
            await stage.pay(who, 2_900 + 310 * number, "Figma", SOFTWARE)


async def mend_stripe(stage: Stage) -> None:
    await stage.controls.call("DELETE", "faults")
    await stage.until_worked_off()


async def _step(stage: Stage, *, name: str, action: str, **amounts: int | str) -> None:
    await stage.merchants.then(name, action, **amounts)
