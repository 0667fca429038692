"""What merchants take, and what they let go, ends in the books to the cent.

Every golden is worked out by hand from docs/ledger.md: our fee is 5 % + 0.50, Stripe's
2.9 % + 0.30, halves up. What a linked card paid is 1010 plus Stripe's fee (5000); what
merchants took is on 1020. A golden that changes needs its reason in the commit's message.
"""

from tests.journeys.settlement import plays_captures as plays
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

# 105.50 came and cost 3.36; the merchant had 100.00.
IN_FULL = Golden(
    {"1010": 102_14, "1020": -100_00, "4000": -5_50, "5000": 3_36}, gross=5_50, net=2_14
)
# 105.50 came, cost 3.36 and went back whole: Stripe keeps its fee.
CHARGED_FOR_NOTHING = Golden({"1010": -3_36, "5000": 3_36}, gross=0, net=-3_36)
# 105.50 and 21.00 came and cost 3.36 and 0.91; the merchant had 120.00.
WITH_A_TIP = Golden(
    {"1010": 122_23, "1020": -120_00, "4000": -6_50, "5000": 4_27}, gross=6_50, net=2_23
)

SCENARIOS = [
    Scenario(plays.captured_in_full, IN_FULL),
    Scenario(
        plays.captured_in_part,
        # 70.00 + 4.00 taken of the hold, which cost 2.45.
        hold=Golden(
            {"1010": 71_55, "1020": -70_00, "4000": -4_00, "5000": 2_45}, gross=4_00, net=1_55
        ),
        # 105.50 came and cost 3.36; 30.00 + 1.50 went back.
        charge=Golden(
            {"1010": 70_64, "1020": -70_00, "4000": -4_00, "5000": 3_36}, gross=4_00, net=64
        ),
    ),
    Scenario(plays.captured_with_a_tip, WITH_A_TIP),
    Scenario(
        plays.captured_with_a_tip_nobody_pays,
        # 105.50 came; the merchant had 120.00; the customer owes 20.00, and no fee on it yet.
        Golden(
            {"1010": 102_14, "1020": -120_00, "1100": 20_00, "4000": -5_50, "5000": 3_36},
            gross=5_50,
            net=2_14,
        ),
        owed=True,
    ),
    Scenario(
        plays.captured_with_a_tip_written_off,
        # The same, and the 20.00 are our loss.
        Golden(
            {"1010": 102_14, "1020": -120_00, "4000": -5_50, "5000": 3_36, "5100": 20_00},
            gross=5_50,
            net=-17_86,
        ),
        owed=True,
    ),
    Scenario(plays.captured_with_a_tip_paid_later, WITH_A_TIP),
    # Fees of 2.00, 1.50 and 2.00 make 5.50: the parts never drift from the whole.
    Scenario(plays.captured_in_three_parts, IN_FULL),
    Scenario(
        plays.captured_in_part_and_open,
        # The linked card still holds 105.50, the network 70.00; the 30.00 are not paid yet.
        hold=Golden(
            {
                "1010 held": 105_50,
                "1020": -30_00,
                "1020 held": -70_00,
                "2000": 30_00,
                "2000 held": -30_00,
                "2300 held": -5_50,
            }
        ),
        # 105.50 came: 70.00 of it for what is still open, 3.50 of the fee not earned yet.
        charge=Golden(
            {
                "1010": 102_14,
                "1020": -30_00,
                "1020 held": -70_00,
                "2000": -70_00,
                "2000 held": 70_00,
                "2300": -3_50,
                "4000": -2_00,
                "5000": 3_36,
            },
            gross=2_00,
            net=-1_36,
        ),
    ),
    Scenario(
        plays.incremented_twice,
        # 53.00, 31.50 and 21.00 came and cost 1.84, 1.21 and 0.91.
        Golden(
            {"1010": 101_54, "1020": -100_00, "4000": -5_50, "5000": 3_96}, gross=5_50, net=1_54
        ),
    ),
    Scenario(
        plays.reversed_in_part,
        # 60.00 + 3.50 taken of the hold, which cost 2.14.
        hold=Golden(
            {"1010": 61_36, "1020": -60_00, "4000": -3_50, "5000": 2_14}, gross=3_50, net=1_36
        ),
        # 105.50 came and cost 3.36; 40.00 + 2.00 went back.
        charge=Golden(
            {"1010": 60_14, "1020": -60_00, "4000": -3_50, "5000": 3_36}, gross=3_50, net=14
        ),
    ),
    Scenario(plays.reversed_in_full, hold=NOTHING, charge=CHARGED_FOR_NOTHING),
    Scenario(
        plays.held_anew,
        # 50.00 + 3.00 taken of the first hold, which cost 1.84; the second was let go.
        hold=Golden(
            {"1010": 51_16, "1020": -50_00, "4000": -3_00, "5000": 1_84}, gross=3_00, net=1_16
        ),
        # 105.50 and 51.45 came and cost 3.36 and 1.79; 103.95 went back.
        charge=Golden(
            {"1010": 47_85, "1020": -50_00, "4000": -3_00, "5000": 5_15}, gross=3_00, net=-2_15
        ),
    ),
    Scenario(
        plays.a_cent_less_than_was_asked_for,
        # 11.00 and 3.48 of the two holds were taken, which cost 0.62 and 0.40.
        hold=Golden(
            {"1010": 13_46, "1020": -13_31, "4000": -1_17, "5000": 1_02}, gross=1_17, net=15
        ),
        # 11.00 and 3.49 came and cost 0.62 and 0.40. Of the 13.33 for the merchant 0.02 went
        # back: the cent that the fee on 13.31 is more than what was paid of it is not kept.
        charge=Golden(
            {"1010": 13_45, "1020": -13_31, "4000": -1_16, "5000": 1_02}, gross=1_16, net=14
        ),
        owed=True,
    ),
    Scenario(plays.expired, hold=NOTHING, charge=CHARGED_FOR_NOTHING),
    Scenario(
        plays.captured_after_expiry,
        hold=IN_FULL,
        # 105.50 came, went back and came again: it cost 3.36 twice.
        charge=Golden(
            {"1010": 98_78, "1020": -100_00, "4000": -5_50, "5000": 6_72}, gross=5_50, net=-1_22
        ),
    ),
    Scenario(
        plays.fuelled,
        # 1.55 and 44.32 came and cost 0.34 and 1.59; the pump gave fuel for 43.21.
        Golden({"1010": 43_94, "1020": -43_21, "4000": -2_66, "5000": 1_93}, gross=2_66, net=73),
    ),
    Scenario(plays.verified_for_nothing, NOTHING),
    Scenario(
        plays.still_open,
        hold=Golden({"1010 held": 105_50, "1020 held": -100_00, "2300 held": -5_50}),
        charge=Golden(
            {
                "1010": 102_14,
                "1020 held": -100_00,
                "2000": -100_00,
                "2000 held": 100_00,
                "2300": -5_50,
                "5000": 3_36,
            },
            net=-3_36,
        ),
    ),
]

WHOLE = Whole(
    hold={
        "1010": 1_098_17,
        "1010 held": 211_00,
        "1020": 98_853_48,
        "1020 held": -170_00,
        "1100": 20_00,
        "2000": 30_00,
        "2000 held": -30_00,
        "2300 held": -11_00,
        "3000": -100_000_00,
        "4000": -60_33,
        "5000": 38_68,
        "5100": 20_00,
    },
    charge={
        "1010": 1_286_92,
        "1020": 98_853_48,
        "1020 held": -170_00,
        "1100": 20_00,
        "2000": -170_00,
        "2000 held": 170_00,
        "2300": -9_00,
        "3000": -100_000_00,
        "4000": -62_32,
        "5000": 60_92,
        "5100": 20_00,
    },
    nobody=OPENING,
)


@both_modes
async def test_what_merchants_take_is_in_the_books_to_the_cent(product: Product) -> None:
    await check(product, SCENARIOS, WHOLE)
