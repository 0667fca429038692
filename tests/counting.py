"""Counts what tests break, so that a run can say at its end how often each fault has happened.

A conftest takes part with `from tests.counting import count, product`.
"""

from collections.abc import AsyncIterator, Callable

import pytest

from tests.fault_names import FAULT, Count, at_stripe
from tests.product import Product


@pytest.fixture
def count(record_property: Callable[[str, object], None]) -> Count:
    """Give the function that notes by its name that a fault has happened."""
    return lambda name: record_property(FAULT, name)


@pytest.fixture
async def product(product: Product, count: Count) -> AsyncIterator[Product]:
    """Give the running product, and count afterwards what went wrong at its Stripe."""
    yield product
    response = await product.stripe.get("/_sandbox/faults")
    for fault in response.json()["data"]:
        for _ in range(fault["fired"]):
            count(at_stripe(fault))
