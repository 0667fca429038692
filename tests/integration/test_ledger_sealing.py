"""Sealed journals: whoever changes, deletes or adds one, be it as the owner, is found out."""

import hashlib
import json

import asyncpg
import pytest

from app.domain.ledger.sealing import JOURNALS
from app.domain.sealing.horizon import TransactionsWentBack
from tests.books import all_written
from tests.product import Product
from tests.situations import helper, holder, pay

ANOTHER = """
INSERT INTO journal (reference, rule, occurred_at, currency, debits, credits, amounts, layers,
                     transaction_id)
SELECT 'forged:capital_paid_in', 'capital_paid_in', now(), 'usd', '{1030}', '{3000}', '{100}',
       '{posted}', transaction_id
  FROM journal ORDER BY transaction_id LIMIT 1
"""
ONE, FIRST = "reference = (SELECT max(reference) FROM journal)", "number = 1"
CHANGED = "is not what it was"
TAMPERED = {
    "amount": ("UPDATE journal SET amounts = ARRAY[1] || amounts[2:] WHERE {one}", CHANGED),
    "time": ("UPDATE journal SET occurred_at = occurred_at + interval '1 us' WHERE {one}", CHANGED),
    "record": (
        "UPDATE journal SET recorded_at = recorded_at - interval '1 day' WHERE {one}",
        CHANGED,
    ),
    "purchase": ("UPDATE journal SET purchase_id = gen_random_uuid() WHERE {one}", CHANGED),
    "deleted": ("DELETE FROM journal WHERE {one}", "are there"),
    "added": (ANOTHER, "1 journals were added"),
    "hash": ("UPDATE seal SET hash = repeat('0', 64) WHERE {first}", CHANGED),
    "seal": ("DELETE FROM seal WHERE {first}", "a seal was taken away"),
}


async def sealed_product(product: Product) -> None:
    """Seal two batches: what was there at first, and what a purchase brought."""
    await product.settled()
    await all_written(product)
    assert (await JOURNALS.seal(product.parts.sessions)).rows > 0
    bought = await pay(product, (await holder(product)).card, 19_99)
    await helper(product, bought["id"], "capture")
    await product.settled()
    await all_written(product)
    done = await JOURNALS.seal(product.parts.sessions)
    assert (done.batches, done.rows > 3) == (1, True)


async def broken(product: Product) -> str | None:
    async with product.parts.sessions() as session:
        return await JOURNALS.first_difference(session)


@pytest.mark.parametrize(("tampering", "said"), TAMPERED.values(), ids=TAMPERED)
async def test_tampering_is_found_and_its_batch_is_named(
    product: Product, tampering: str, said: str
) -> None:
    await sealed_product(product)
    assert await broken(product) is None
    tables = ("journal", "seal")
    off = ";".join(f"ALTER TABLE {table} DISABLE TRIGGER append_only" for table in tables)
    on = ";".join(f"ALTER TABLE {table} ENABLE TRIGGER append_only" for table in tables)
    which = tampering.format(one=ONE, first=FIRST) if "{" in tampering[-10:] else tampering
    await product.as_owner(f"{off};{which};{on}")
    found = await broken(product)
    assert found is not None
    assert said in found
    assert found.startswith("seal ")


async def test_the_hash_can_be_computed_by_anybody(product: Product) -> None:
    """Written down here once more, from the description and not from the code."""
    await sealed_product(product)
    seals = await product.rows("SELECT * FROM seal ORDER BY number")
    before = "0" * 64
    for one in seals:
        rows = await product.rows(
            "SELECT reference, rule, to_char(occurred_at AT TIME ZONE 'UTC',"
            ' \'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"\') AS occurred_at, purchase_id::text,'
            " customer_id::text, currency, debits, credits, amounts, layers,"
            " to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"+00:00\"')"
            " AS recorded_at, transaction_id FROM journal"
            " WHERE transaction_id >= :since AND transaction_id < :until"
            ' ORDER BY transaction_id, reference COLLATE "C"',
            since=one["from_transaction"],
            until=one["until_transaction"],
        )
        text = f"{before}\n{one['from_transaction']}\n{one['until_transaction']}\n" + "".join(
            json.dumps(list(row.values()), separators=(",", ":")) + "\n" for row in rows
        )
        before = hashlib.sha256(text.encode()).hexdigest()
        assert before == one["hash"]


async def test_what_is_being_written_is_not_sealed_yet(product: Product) -> None:
    sessions = product.parts.sessions
    await all_written(product)
    await JOURNALS.seal(sessions)
    writer = await asyncpg.connect(product.settings.database_url)
    writing = writer.transaction()
    await writing.start()
    await writer.execute(
        "INSERT INTO journal (reference, rule, occurred_at, currency, debits, credits, amounts,"
        " layers) VALUES ('late:capital_paid_in', 'capital_paid_in', now(), 'usd', '{1030}',"
        " '{3000}', '{5}', '{posted}')"
    )
    await pay(product, (await holder(product)).card, 19_99)
    await product.settled()
    assert (await JOURNALS.seal(sessions)).rows == 0
    await writing.commit()
    await writer.close()
    await all_written(product)
    async with sessions() as session:
        waiting = await JOURNALS.unsealed(session)
    assert (await JOURNALS.seal(sessions)).rows == waiting > 1
    assert await broken(product) is None


async def test_a_server_that_counts_anew_is_refused(product: Product) -> None:
    await sealed_product(product)
    await product.as_owner(
        "ALTER TABLE seal DISABLE TRIGGER append_only;"
        "UPDATE seal SET until_transaction = until_transaction + 1000000"
        " WHERE number = (SELECT max(number) FROM seal)"
    )
    with pytest.raises(TransactionsWentBack, match="pg_resetwal"):
        await JOURNALS.seal(product.parts.sessions)
