"""Merchants take what they like: every amount, any number of parts, in any order with reversals."""

import pytest

from tests.oracle import kept_by_purchase, oracle
from tests.product import Product
from tests.situations import helper, holder, pay

ASKED = 10_000


@pytest.fixture(params=["hold", "charge"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def product_settings(mode: str) -> dict[str, str]:
    return {"FUNDING_MODE": mode}


def with_fee(amount: int) -> int:
    return amount + (amount * 5 + 50) // 100 + 50


async def test_one_capture_of_any_size_is_paid_to_the_cent(product: Product, mode: str) -> None:
    ada = await holder(product, daily_limit_minor=10_000_000, monthly_limit_minor=10_000_000)
    sizes = [1, 49, 50, ASKED - 1, ASKED, ASKED + 60, ASKED * 12 // 10, ASKED * 10]
    paid = {}
    for size in sizes:
        bought = await pay(product, ada.card, ASKED)
        told = await helper(product, bought["id"], "capture", capture_amount=size)
        assert "error" not in told, told
        paid[bought["id"]] = with_fee(size)

    await oracle(product)
    assert await kept_by_purchase(product) == paid


async def test_a_cent_too_much_is_owed_and_nobody_is_stopped_for_it(
    product: Product, mode: str
) -> None:
    ada = await holder(product)
    bought = await pay(product, ada.card, ASKED)
    await helper(product, bought["id"], "capture", capture_amount=ASKED + 1)

    await oracle(product, owed=[bought["id"]])
    assert await kept_by_purchase(product) == {bought["id"]: with_fee(ASKED)}
    [debt] = await product.rows("SELECT amount_minor, state, next_attempt_at FROM receivable")
    assert debt == {"amount_minor": 1, "state": "open", "next_attempt_at": None}
    [customer] = await product.rows("SELECT in_debt_since FROM customer")
    assert customer == {"in_debt_since": None}


@pytest.mark.parametrize("parts", [3, 10, pytest.param(100, marks=pytest.mark.long)])
async def test_many_parts_cost_the_fee_of_their_sum(
    product: Product, mode: str, parts: int
) -> None:
    ada = await holder(product)
    exact, above = [(await pay(product, ada.card, ASKED))["id"] for _ in range(2)]
    for name, each in ((exact, ASKED // parts), (above, ASKED // parts + 9)):
        for number in range(parts):
            last = number == parts - 1
            await helper(
                product, name, "capture", capture_amount=each, close_authorization=str(last).lower()
            )

    owes = [above] if 9 * parts < 50 else []
    await product.settled(seconds=90)
    await oracle(product, owed=owes)
    paid = await kept_by_purchase(product)
    assert paid[exact] == with_fee(ASKED // parts * parts)
    total = (ASKED // parts + 9) * parts
    assert paid[above] == (with_fee(ASKED) if owes else with_fee(total))


async def test_reversals_before_between_and_after_captures(product: Product, mode: str) -> None:
    ada = await holder(product)
    twice, between, all_but_one = [(await pay(product, ada.card, ASKED))["id"] for _ in range(3)]

    await helper(product, twice, "reverse", reverse_amount=4_000)
    await helper(product, twice, "reverse")
    await helper(product, between, "capture", capture_amount=3_000, close_authorization="false")
    await helper(product, between, "reverse", reverse_amount=2_000)
    await helper(product, between, "capture", capture_amount=1_000)
    await helper(product, all_but_one, "reverse", reverse_amount=ASKED - 1)
    await helper(product, all_but_one, "capture", capture_amount=1)

    await oracle(product)
    paid = {twice: 0, between: with_fee(4_000), all_but_one: with_fee(1)}
    assert await kept_by_purchase(product) == paid
