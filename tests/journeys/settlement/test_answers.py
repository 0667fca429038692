"""Where the answer was the difficulty, the money still ends where it belongs, to the cent.

Every golden is worked out by hand from docs/ledger.md: our fee is 5 % + 0.50, Stripe's
2.9 % + 0.30, halves up. A golden that changes needs its reason in the commit's message.
"""

import pytest

from tests.journeys.settlement import plays_answers as plays
from tests.journeys.settlement.by_hand import (
    NOTHING,
    OPENING,
    Golden,
    Scenario,
    Whole,
    both_modes,
    check,
)
from tests.product import Product

pytestmark = pytest.mark.hurried

# 105.50 came and cost 3.36; the merchant had 100.00.
PAID = Golden({"1010": 102_14, "1020": -100_00, "4000": -5_50, "5000": 3_36}, gross=5_50, net=2_14)
# The same, and the merchant had 20.00 more, which the customer owes.
OWED = Golden(
    {"1010": 102_14, "1020": -120_00, "1100": 20_00, "4000": -5_50, "5000": 3_36},
    gross=5_50,
    net=2_14,
)
# 105.50 came for a purchase that did not stand, cost 3.36 and went back whole.
GHOST = Golden({"1010": -3_36, "5030": 3_36}, net=-3_36)

SCENARIOS = [
    Scenario(plays.charged_too_late, hold=NOTHING, charge=GHOST),
    Scenario(plays.refused_too_late, NOTHING),
    Scenario(plays.charged_with_an_error, hold=NOTHING, charge=GHOST),
    Scenario(plays.charged_and_cut_off, hold=NOTHING, charge=GHOST),
    Scenario(plays.approved_by_us_alone, hold=NOTHING, charge=GHOST),
    Scenario(plays.approved_without_us, PAID),
    Scenario(plays.asked_twice, PAID),
    Scenario(plays.two_at_the_limit, PAID),
    Scenario(plays.declined_before_we_are_asked, NOTHING),
    Scenario(plays.authentication_required, NOTHING),
    Scenario(plays.refused_for_good, NOTHING),
    Scenario(plays.owed_for_good, OWED, owed=True),
    Scenario(plays.paid_by_the_second_card, PAID),
    Scenario(plays.linked_card_removed, PAID),
    Scenario(plays.linked_card_removed_before_a_tip, OWED, owed=True),
    Scenario(plays.cardholder_under_review, NOTHING),
    Scenario(plays.asked_in_another_currency, NOTHING),
    Scenario(plays.asked_in_words_of_tomorrow, hold=NOTHING, charge=GHOST),
]

WHOLE = Whole(
    hold={
        "1010": 714_98,
        "1020": 99_260_00,
        "1100": 40_00,
        "3000": -100_000_00,
        "4000": -38_50,
        "5000": 23_52,
    },
    # Five charges that did not stand have cost 3.36 each.
    charge={
        "1010": 698_18,
        "1020": 99_260_00,
        "1100": 40_00,
        "3000": -100_000_00,
        "4000": -38_50,
        "5000": 23_52,
        "5030": 16_80,
    },
    nobody=OPENING,
)


@both_modes
async def test_what_the_answer_leaves_behind_is_in_the_books_to_the_cent(product: Product) -> None:
    await check(product, SCENARIOS, WHOLE)
