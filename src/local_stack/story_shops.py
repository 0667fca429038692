"""Where the demo's customers shop: what things cost there, and what merchants do afterwards."""

from collections.abc import Sequence

import msgspec

from local_stack.demo_people import BOOKS, GROCERIES, SOFTWARE

RESTAURANTS = "eating_places_restaurants"
ELECTRONICS = "electronics_stores"
"""Most of what is bought there goes back: the fee goes with it, and what Stripe took does not."""


class Shop(msgspec.Struct, frozen=True):
    """A merchant. `each` is how often one is chosen; the others are shares of its purchases."""

    name: str
    category: str
    least_minor: int
    most_minor: int
    each: int = 4
    country: str = "US"
    tips: float = 0.0
    reverses: float = 0.03
    returns: float = 0.04
    days_until_taken: float = 1.0


SHOPS: Sequence[Shop] = (
    Shop("Blue Bottle", "fast_food_restaurants", 350, 1_900, each=9, days_until_taken=0.3),
    Shop("Trader Joe's", GROCERIES, 1_800, 14_500, each=9),
    Shop("Whole Foods", GROCERIES, 2_200, 19_000, each=6),
    Shop("Zuni Cafe", RESTAURANTS, 3_800, 16_000, each=5, tips=0.8),
    Shop("Nopa", RESTAURANTS, 4_200, 14_000, each=4, tips=0.8),
    Shop("Lyft", "taxicabs_limousines", 900, 5_400, each=6, tips=0.3, days_until_taken=0.1),
    Shop("Shell", "automated_fuel_dispensers", 2_500, 9_000, each=4),
    Shop("Powell's Books", BOOKS, 1_200, 8_800, each=3, returns=0.08),
    Shop("Adobe", SOFTWARE, 2_099, 5_999, each=3, returns=0.0),
    Shop("Patagonia", "sporting_goods_stores", 4_500, 38_000, each=3, returns=0.2),
    Shop("Target", "miscellaneous_general_merchandise", 1_500, 21_000, each=5, returns=0.08),
    Shop("Gadget Outlet", ELECTRONICS, 9_000, 49_000, each=3, returns=0.85),
    Shop("Fnac", BOOKS, 1_500, 9_500, each=1, country="FR"),
    Shop("Muji", "miscellaneous_general_merchandise", 1_400, 12_000, each=1, country="JP"),
)
