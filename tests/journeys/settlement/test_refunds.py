"""What merchants give back, and what they take unasked, ends in the books to the cent.

Every golden is worked out by hand from docs/ledger.md: our fee is 5 % + 0.50 and goes back in
proportion, Stripe's is 2.9 % + 0.30 and never goes back, halves up. A golden that changes needs its
reason in the commit's message.
"""

from tests.journeys.settlement import plays_refunds as plays
from tests.journeys.settlement.by_hand import OPENING, Golden, Scenario, Whole, both_modes, check
from tests.product import Product

# 105.50 came, cost 3.36 and went back whole, as the merchant's 100.00 did.
ALL_GIVEN_BACK = Golden({"1010": -3_36, "4000": -5_50, "4010": 5_50, "5000": 3_36}, net=-3_36)
# 105.50 came and cost 3.36; of it, 40.00 + 2.20 went back.
FORTY_GIVEN_BACK = Golden(
    {"1010": 59_94, "1020": -60_00, "4000": -5_50, "4010": 2_20, "5000": 3_36},
    gross=3_30,
    net=-6,
)
# 53.00 came and cost 1.84; the merchant had 50.00.
FORCED = Golden({"1010": 51_16, "1020": -50_00, "4000": -3_00, "5000": 1_84}, gross=3_00, net=1_16)

SCENARIOS = [
    Scenario(plays.forced_without_authorization, FORCED),
    Scenario(plays.forced_and_nobody_pays, Golden({"1020": -50_00, "1100": 50_00}), owed=True),
    Scenario(plays.forced_after_a_decline, FORCED),
    Scenario(
        plays.forced_after_a_reversal,
        hold=FORCED,
        # 53.00 came, went back and came again: it cost 1.84 twice.
        charge=Golden(
            {"1010": 49_32, "1020": -50_00, "4000": -3_00, "5000": 3_68}, gross=3_00, net=-68
        ),
    ),
    Scenario(plays.forced_on_a_replaced_card, FORCED),
    Scenario(plays.forced_in_euros, Golden({"1020 eur": -50_00, "2000 eur": 50_00}), owed=True),
    Scenario(plays.refunded_in_full, ALL_GIVEN_BACK),
    Scenario(plays.refunded_in_part, FORTY_GIVEN_BACK),
    Scenario(
        plays.refunded_half_a_cent_of_fee,
        # 11.00 came and cost 0.62; 0.25 + 0.03 went back.
        Golden(
            {"1010": 10_10, "1020": -9_75, "4000": -1_00, "4010": 3, "5000": 62}, gross=97, net=35
        ),
    ),
    Scenario(plays.refunded_in_three_parts, ALL_GIVEN_BACK),
    Scenario(
        plays.refunded_while_it_was_owed,
        # The 20.00 that nobody paid came back: as if they had never been taken.
        Golden(
            {"1010": 102_14, "1020": -100_00, "4000": -5_50, "5000": 3_36}, gross=5_50, net=2_14
        ),
        owed=True,
    ),
    Scenario(
        plays.refund_taken_back,
        # 42.20 came again, which cost 1.52, and 2.20 of it is our fee again.
        Golden({"1010": 100_62, "1020": -100_00, "4000": -5_50, "5000": 4_88}, gross=5_50, net=62),
    ),
    Scenario(
        plays.refund_taken_back_and_nobody_pays,
        Golden(
            {
                "1010": 59_94,
                "1020": -100_00,
                "1100": 40_00,
                "4000": -5_50,
                "4010": 2_20,
                "5000": 3_36,
            },
            gross=3_30,
            net=-6,
        ),
        owed=True,
    ),
    Scenario(
        plays.refund_that_names_nothing,
        # As 40.00 given back; they came before anyone knew whose they were, and wait on 2100 there.
        Golden(
            {
                "1010": 59_94,
                "1020": -100_00,
                "2100": 40_00,
                "4000": -5_50,
                "4010": 2_20,
                "5000": 3_36,
            },
            gross=3_30,
            net=-6,
        ),
        owed=True,
    ),
    Scenario(
        plays.refund_that_a_person_assigns,
        # 25.00 + 1.38 went back.
        Golden(
            {
                "1010": 75_76,
                "1020": -100_00,
                "2100": 25_00,
                "4000": -5_50,
                "4010": 1_38,
                "5000": 3_36,
            },
            gross=4_12,
            net=76,
        ),
        owed=True,
    ),
    Scenario(plays.refund_that_fits_nothing, Golden({})),
    Scenario(plays.refund_to_a_closed_card, ALL_GIVEN_BACK),
    Scenario(
        plays.refund_that_the_bank_sends_back,
        # 105.50 are here again, and owed to the customer.
        Golden(
            {"1010": 102_14, "2100": -105_50, "4000": -5_50, "4010": 5_50, "5000": 3_36},
            net=-3_36,
        ),
        owed=True,
    ),
    Scenario(
        plays.refund_that_the_bank_sends_back_and_the_merchant_takes_back,
        # As if nothing had been given back: what came from the bank is not charged again.
        Golden(
            {"1010": 102_14, "1020": -100_00, "4000": -5_50, "5000": 3_36}, gross=5_50, net=2_14
        ),
        owed=True,
    ),
    Scenario(plays.refund_that_pends, ALL_GIVEN_BACK),
    Scenario(
        plays.refund_in_another_currency,
        # 98.50 + 5.42 went back.
        Golden(
            {"1010": -1_78, "1020": -1_50, "4000": -5_50, "4010": 5_42, "5000": 3_36},
            gross=8,
            net=-3_28,
        ),
    ),
]

WHOLE = Whole(
    hold={
        "1010": 862_14,
        "1020": 99_158_75,
        "1100": 90_00,
        "2100": -120_50,
        "3000": -100_000_00,
        "4000": -84_50,
        "4010": 40_93,
        "5000": 53_18,
    },
    # The charge that was given back when the merchant let go has cost 1.84.
    charge={
        "1010": 860_30,
        "1020": 99_158_75,
        "1100": 90_00,
        "2100": -120_50,
        "3000": -100_000_00,
        "4000": -84_50,
        "4010": 40_93,
        "5000": 55_02,
    },
    # The float, and the 40.00, 25.00 and 15.00 that came without a name.
    nobody=OPENING | {"1020": 100_080_00, "2100": -80_00},
)


@both_modes
async def test_what_merchants_give_back_is_in_the_books_to_the_cent(product: Product) -> None:
    await check(product, SCENARIOS, WHOLE)
