"""What a purchase costs is the same in the list, in its file, on its page and in the statement."""

import csv
import io
import re

import httpx
import pytest

from app.domain.funding.receivables import give_up, pay_outside
from app.domain.identity.audit import SYSTEM
from app.domain.identity.reasons import Reason
from tests.integration.test_portal_dashboard import words_on
from tests.integration.test_portal_given_back import taken
from tests.integration.test_portal_purchases import play_every_status, signed_in_holder
from tests.product import Product
from tests.situations import holder, refund

PAGE = re.compile(r"Our fee \([^)]*\) \$(\S+) .*?(?:own card|Together) \$(\S+)")
NONE = "\N{EN DASH}"


async def figures(client: httpx.AsyncClient) -> dict[str, tuple[str, str, str]]:
    """Give the fee, total and status of each purchase, the same wherever they are shown."""
    rows = list(csv.DictReader(io.StringIO((await client.get("/purchases.csv")).text)))
    listed = words_on((await client.get("/purchases")).text).replace(",", "")
    for row in rows:
        page = words_on((await client.get(f"/purchases/{row['Purchase']}")).text)
        fee, total = row["Fee"], row["Total"]
        said = PAGE.search(page)
        assert (said.groups() if said else ("0.00", "0.00")) == (fee, total), page
        shown = f"${fee}" if said else NONE
        assert f" ${row['Amount']} {shown} ${total} " in listed, (row, listed)
    return {row["Merchant"]: (row["Fee"], row["Total"], row["Status"]) for row in rows}


async def test_a_purchase_of_any_status_costs_the_same_everywhere(product: Product) -> None:
    ada = await holder(product)
    await play_every_status(product, ada)
    async with signed_in_holder(product, ada) as client:
        assert await figures(client) == {
            "Zuni Cafe": ("5.50", "105.50", "completed"),
            "'=Nike": ("2.00", "32.00", "refunded"),
            "Gap": ("2.50", "42.50", "partly refunded"),
            "Hertz": ("0.00", "0.00", "released"),
            "Blue Bottle": ("1.50", "21.50", "on hold"),
            "Netflix": ("0.00", "0.00", "card check"),
            "Too Much": ("0.00", "0.00", "declined"),
        }


@pytest.mark.parametrize("how", ["paid to our bank account", "given up"])
async def test_what_no_card_pays_any_more_has_no_fee(product: Product, how: str) -> None:
    ada = await holder(product)
    await taken(product, ada, 10_00, more_minor=20_00)
    [debt] = await product.rows("SELECT id FROM receivable")
    now = product.parts.clock.now()
    async with signed_in_holder(product, ada) as client:
        assert await figures(client) == {"Blue Bottle": ("2.00", "32.00", "not paid")}
        async with product.parts.sessions.begin() as session:
            if how == "given up":
                await give_up(session, debt["id"], actor=SYSTEM, now=now, reason="a test")
            else:
                why = Reason("other", "it came by bank transfer")
                await pay_outside(
                    session, debt["id"], actor=SYSTEM, now=now, reason=why, expected_minor=20_00
                )
        await product.settled()
        assert await figures(client) == {"Blue Bottle": ("1.00", "31.00", "completed")}
        assert "What the month cost you $31.00" in words_on((await client.get("/statements")).text)


async def test_what_a_merchant_gave_back_of_a_debt_has_no_fee_to_come(product: Product) -> None:
    ada = await holder(product)
    name = await taken(product, ada, 10_00, more_minor=20_00)
    await refund(product, name, 5_00)
    await product.settled()
    async with signed_in_holder(product, ada) as client:
        assert await figures(client) == {"Blue Bottle": ("1.75", "31.75", "not paid")}
        await refund(product, name, 15_00)
        await product.settled()
        assert await figures(client) == {"Blue Bottle": ("1.00", "31.00", "partly refunded")}
