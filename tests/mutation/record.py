"""Plays the scenarios that have goldens, and writes down what came of them."""

import asyncio
import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType

import msgspec

from app import schema
from app.logs import configure_logs
from tests.conformance.recorder import Recorder
from tests.journeys.settlement.by_hand import Scenario
from tests.mutation.facts import HOLDS, RECORDED, Net, Recording, Row
from tests.mutation.histories import with_goldens
from tests.mutation.mutants import Judge
from tests.oracle import oracle
from tests.postgres import PostgresServer, ephemeral_server
from tests.product import Product, running_product

FOLDER = "tests.journeys.settlement"
MODULES = ("test_captures", "test_refunds", "test_answers", "test_time")
MODES = ("hold", "charge")

CHARGES = """
SELECT id, customer_id, purchase_id, purpose, receivable_id, mode, amount_minor, principal_minor,
       captured_minor, captured_principal_minor, currency, state, undone,
       stripe_balance_transaction_id, processing_fee_minor, stripe_payment_intent_id
  FROM charge ORDER BY id
"""
REFUNDS = """
SELECT purchase_id, customer_id, amount_minor, principal_minor, deferred_fee_minor,
       returned_fee_minor, withdrawn_principal_minor, withdrawn_fee_minor, paid_outside_minor,
       currency, state, stripe_refund_id, stripe_balance_transaction_id
  FROM refund ORDER BY id
"""
RECEIVABLES = """
SELECT id, purchase_id, customer_id, opened_at, amount_minor, lowered_minor, currency, state,
       (SELECT amounts[1] FROM journal
         WHERE reference = receivable.id || '\\:receivable_written_off') AS written_off_minor
  FROM receivable ORDER BY id
"""
TRANSACTIONS = """
SELECT stripe_transaction_id, authorization_id, customer_id, kind, occurred_at, amount_minor,
       currency, earned_minor, unmatched
  FROM card_transaction ORDER BY id
"""
MOVEMENTS = """
SELECT b.stripe_balance_transaction_id AS id, b.balance_type, b.type, b.amount_minor, b.fee_minor,
       b.net_minor, b.currency, b.source, b.occurred_at, b.available_at, p.id AS purchase_id,
       p.customer_id
  FROM balance_transaction AS b
  LEFT JOIN card_authorization AS p ON p.stripe_authorization_id = b.source
 WHERE b.type = ANY(:holds) OR b.source IS NULL ORDER BY b.occurred_at, b.id
"""
CLOSED = """
SELECT id FROM card_authorization WHERE state <> 'pending' AND not_handled IS NULL ORDER BY id
"""
PURCHASES = "SELECT id, stripe_authorization_id AS name FROM card_authorization"
NETS = """
SELECT purchase_id, account, layer, currency, sum(amount)::bigint AS net
  FROM (SELECT purchase_id, debit AS account, layer, currency, amount_minor AS amount FROM posting
        UNION ALL
        SELECT purchase_id, credit, layer, currency, -amount_minor FROM posting) AS entry
 GROUP BY 1, 2, 3, 4 HAVING sum(amount) <> 0 ORDER BY 1, 2, 3, 4
"""


async def record(server: PostgresServer, template: str) -> list[Recording]:
    """Play every module in both modes, each on a product of its own."""
    made = []
    for name in MODULES:
        module = importlib.import_module(f"{FOLDER}.{name}")
        for mode in MODES:
            database = server.clone(template)
            url, owner = server.app_url(database), server.owner_url(database)
            running = running_product(url, owner, Recorder(), FUNDING_MODE=mode)
            async with running as product:
                made.append(await _played(product, module, mode))
            _say(f"recorded {name}, {mode}")
    return made


async def _played(product: Product, module: ModuleType, mode: str) -> Recording:
    scenarios: list[Scenario] = module.SCENARIOS
    played = {one.name: await one.play(product, f"{one.name}@example.com") for one in scenarios}
    await oracle(product, owed=[n for one in scenarios if one.owed for n in played[one.name]])
    ids = {row["name"]: str(row["id"]) for row in await product.rows(PURCHASES)}
    told = await product.call("GET", "/v1/balance")
    return Recording(
        module=module.__name__,
        mode=mode,
        played={name: [ids[one] for one in names] for name, names in played.items()},
        closed=[str(row["id"]) for row in await product.rows(CLOSED)],
        charges=await _rows(product, CHARGES),
        refunds=await _rows(product, REFUNDS),
        receivables=await _rows(product, RECEIVABLES),
        transactions=await _rows(product, TRANSACTIONS),
        movements=await _rows(product, MOVEMENTS, holds=list(HOLDS)),
        payments_minor=_usd(told["available"]) + _usd(told["pending"]),
        issuing_minor=_usd(told["issuing"]["available"]),
        nets=list(_nets(await _rows(product, NETS))),
    )


async def _rows(product: Product, statement: str, **values: object) -> list[Row]:
    plain: list[Row] = msgspec.to_builtins(await product.rows(statement, **values))
    return plain


def _nets(rows: list[Row]) -> Iterator[Net]:
    for row in rows:
        yield (row["purchase_id"], row["account"], row["layer"], row["currency"], row["net"])


def _usd(amounts: list[Row]) -> int:
    return sum(one["amount"] for one in amounts if one["currency"] == "usd")


def main() -> int:
    """Record, and write it beside this file, unless it is not what its goldens say."""
    with ephemeral_server() as server:
        template = server.create()
        schema.upgrade(server.owner_url(template), server.app_url(template))
        with Path(os.devnull).open("w") as nothing, redirect_stdout(nothing):
            configure_logs()
            made = asyncio.run(record(server, template))
    problems = Judge(with_goldens(made)).problems()
    if problems:
        _say("\n".join(["Nothing is written: this is not what was written by hand.", *problems]))
        return 1
    # A line for each value, so that a change can be read.
    RECORDED.write_bytes(msgspec.json.format(msgspec.json.encode(made), indent=0))
    return 0


def _say(words: str) -> None:
    print(words, file=sys.stderr)  # noqa: T201  what it is for


if __name__ == "__main__":
    sys.exit(main())
