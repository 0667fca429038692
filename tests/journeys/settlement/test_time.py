"""What time alone does to holds, on the sandbox's clock, ends in the books to the cent.

Every golden is worked out by hand from docs/ledger.md: our fee is 5 % + 0.50, Stripe's
2.9 % + 0.30, halves up. A Visa charged off-session is held for 4 days and 18 hours, a
card of ours for 7 days, at a hotel for 31. A golden that changes needs its reason in the commit's
message.
"""

from collections.abc import Sequence
from datetime import timedelta

from tests.journeys.settlement.by_hand import (
    NOTHING,
    OPENING,
    Golden,
    Scenario,
    Whole,
    both_modes,
    check,
    until_there,
)
from tests.product import Product
from tests.situations import helper, holder, pay
from tests.waiting import until

HOTEL = {"merchant_data[category]": "hotels_motels_and_resorts"}


async def days_pass(product: Product, days: int) -> None:
    moved = await product.control("clock", {"advance_seconds": days * 86_400})
    offset = timedelta(seconds=moved["offset_seconds"])
    await until(lambda: product.parts.clock.offset == offset, why="our clock follows")


async def hotel_on_day_25(product: Product, email: str) -> Sequence[str]:
    """11: the linked card's hold is taken before it lapses, and what was too much given back."""
    ada = await holder(product, email=email)
    name = (await pay(product, ada.card, 100_00, **HOTEL))["id"]
    await days_pass(product, 4)
    await until_there(product, "charge", ada.customer.id, "state = 'captured'")
    await days_pass(product, 21)
    await helper(product, name, "capture", capture_amount=80_00)
    return [name]


async def hotel_whose_hold_lapsed(product: Product, email: str) -> Sequence[str]:
    """11: nobody was there to take the hold in time, and the linked card is charged anew."""
    ada = await holder(product, email=email)
    name = (await pay(product, ada.card, 100_00, **HOTEL))["id"]
    await days_pass(product, 21)
    await helper(product, name, "capture", capture_amount=80_00)
    return [name]


async def expired_after_7_days(product: Product, email: str) -> Sequence[str]:
    """10: the linked card's hold has lapsed by then as well."""
    ada = await holder(product, email=email)
    name = (await pay(product, ada.card, 100_00))["id"]
    await days_pass(product, 8)
    return [name]


# 105.50 came and cost 3.36; 21.00 went back, and the hotel had 80.00.
GIVEN_BACK_IN_PART = Golden(
    {"1010": 81_14, "1020": -80_00, "4000": -4_50, "5000": 3_36}, gross=4_50, net=1_14
)
SCENARIOS = [
    Scenario(hotel_on_day_25, GIVEN_BACK_IN_PART),
    Scenario(
        hotel_whose_hold_lapsed,
        # 84.50 came, which cost 2.75.
        hold=Golden(
            {"1010": 81_75, "1020": -80_00, "4000": -4_50, "5000": 2_75}, gross=4_50, net=1_75
        ),
        charge=GIVEN_BACK_IN_PART,
    ),
    Scenario(
        expired_after_7_days, hold=NOTHING, charge=Golden({"1010": -3_36, "5000": 3_36}, net=-3_36)
    ),
]

WHOLE = Whole(
    hold={"1010": 162_89, "1020": 99_840_00, "3000": -100_000_00, "4000": -9_00, "5000": 6_11},
    charge={"1010": 158_92, "1020": 99_840_00, "3000": -100_000_00, "4000": -9_00, "5000": 10_08},
    nobody=OPENING,
)


@both_modes
async def test_what_time_does_is_in_the_books_to_the_cent(product: Product) -> None:
    await check(product, SCENARIOS, WHOLE)
