"""Goldens: what a history leaves in the books, written by hand from docs/ledger.md.

No golden is ever computed by the code under test, and one that changes needs its reason in the
commit's message. Amounts are in cents, written so that they read as dollars: 105_50 is 105.50.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
import pytest

from tests.books import balances
from tests.oracle import oracle
from tests.product import Product
from tests.waiting import until

both_modes = pytest.mark.parametrize(
    "product_settings",
    [
        {"FUNDING_MODE": "hold"},
        pytest.param({"FUNDING_MODE": "charge"}, marks=pytest.mark.long),
    ],
    ids=["hold", "charge"],
)

Accounts = Mapping[str, int]
"""Debits less credits by account, those at zero left out: "1010" is posted, "1010 held" is held."""
Play = Callable[[Product, str], Awaitable[Sequence[str]]]
"""Plays a history with a customer of this address; gives the purchases it made, by Stripe's id."""

ENTRIES = """
SELECT entry.account, entry.layer, entry.currency, sum(entry.amount)::bigint AS net
  FROM (SELECT purchase_id, debit AS account, layer, currency, amount_minor AS amount FROM posting
        UNION ALL
        SELECT purchase_id, credit, layer, currency, -amount_minor FROM posting) AS entry
  LEFT JOIN card_authorization AS purchase ON purchase.id = entry.purchase_id
 WHERE {which}
 GROUP BY 1, 2, 3 HAVING sum(entry.amount) <> 0
"""
OF_PURCHASES = ENTRIES.format(which="purchase.stripe_authorization_id = ANY(:names)")
OF_NOBODY = ENTRIES.format(which="entry.purchase_id IS NULL")
INCOME = ("4000", "4010", "4100")
EXPENSES = ("5000", "5010", "5020", "5030", "5100", "5110", "5120")


class Golden(msgspec.Struct, frozen=True):
    """What must be in the books, and the profit it must come to."""

    accounts: Accounts
    gross: int = 0
    net: int = 0


NOTHING = Golden({})


class Scenario(msgspec.Struct, frozen=True):
    """A history and its goldens; `charge` where it differs when cards are charged at once.

    `owed`: the customer's payments do not add up to what merchants took, as the oracle must know.
    """

    play: Play
    hold: Golden
    charge: Golden | None = None
    owed: bool = False

    @property
    def name(self) -> str:
        return self.play.__name__

    def golden(self, mode: str) -> Golden:
        return self.charge if self.charge and mode == "charge" else self.hold


class Whole(msgspec.Struct, frozen=True):
    """The trial balance after all scenarios of a test, and what of it belongs to no purchase."""

    hold: Accounts
    charge: Accounts
    nobody: Accounts


OPENING = {"1020": 100_000_00, "3000": -100_000_00}
"""The float that the sandbox begins with is what the owners paid in."""


async def check(product: Product, scenarios: Sequence[Scenario], whole: Whole) -> None:
    """Play scenarios on one product; hold the books of each, and of all, against the goldens."""
    played = {one.name: await one.play(product, f"{one.name}@example.com") for one in scenarios}
    owed = [name for one in scenarios if one.owed for name in played[one.name]]
    await oracle(product, owed=owed)
    mode = product.settings.funding_mode
    wrong = [
        different
        for one in scenarios
        for found in [await found_for(product, played[one.name])]
        for different in differences(one.name, found, one.golden(mode))
    ]
    nobody = accounts(await product.rows(OF_NOBODY))
    wrong += differences("of no purchase", nobody, whole.nobody)
    in_all = {_key(*key): net for key, net in (await balances(product)).items() if net}
    expected = whole.charge if mode == "charge" else whole.hold
    wrong += differences("trial balance", in_all, expected)
    assert wrong == [], "\n".join(wrong)


async def until_there(product: Product, table: str, customer: UUID, which: str = "true") -> None:
    """Wait until a customer has a row of a table, narrowed by a condition."""
    statement = f"SELECT 1 FROM {table} WHERE customer_id = :customer AND {which}"  # noqa: S608

    async def is_there() -> bool:
        return bool(await product.rows(statement, customer=customer))

    await until(is_there, why=f"a {table} where {which}")


def differences(name: str, found: object, golden: object) -> Iterator[str]:
    """Say what is in the books where something else should be."""
    if found != golden:
        yield f"{name}:\n  {found}\n  and not\n  {golden}"


async def found_for(product: Product, purchases: Sequence[str]) -> Golden:
    """Give what is in the books for some purchases together."""
    found = accounts(await product.rows(OF_PURCHASES, names=list(purchases)))
    gross = -sum(found.get(account, 0) for account in INCOME)
    net = gross - sum(found.get(account, 0) for account in EXPENSES)
    return Golden(found, gross, net)


def accounts(rows: Sequence[dict[str, Any]]) -> Accounts:
    return {
        _key(row["account"], row["layer"])
        + ("" if row["currency"] == "usd" else f" {row['currency']}"): row["net"]
        for row in rows
    }


def _key(account: str, layer: str) -> str:
    return account if layer == "posted" else f"{account} {layer}"
