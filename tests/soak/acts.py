"""What customers, staff and others do by name, so that each can be chosen and counted."""

from collections.abc import Mapping

from tests.soak import others
from tests.soak.customers import CUSTOMERS
from tests.soak.office import DEBTS, REFUNDS, Act
from tests.soak.office import STAFF as OFFICE
from tests.soak.paying_back import PAYING_BACK

STAFF: Mapping[str, Act] = {
    **OFFICE,
    **PAYING_BACK,
    "detach a linked card at Stripe": others.detach,
}
ACTS: Mapping[str, Act] = {**CUSTOMERS, **STAFF}

__all__ = ["ACTS", "CUSTOMERS", "DEBTS", "PAYING_BACK", "REFUNDS", "STAFF"]
