"""Purchases as a file for a spreadsheet.

A cell that begins like a formula is given an apostrophe, so that no merchant's name is ever
calculated. Source: https://owasp.org/www-community/attacks/CSV_Injection
"""

import csv
import io
from collections.abc import AsyncIterator

from app.domain.issuing.lines import Line
from app.portal.category_words import category

COLUMNS = (
    *("Time (UTC)", "Merchant", "Merchant as written", "Category", "Country", "Card", "Amount"),
    *("Fee", "Total", "Refunded", "Currency", "Status", "Reason", "Purchase"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


async def csv_of(lines: AsyncIterator[Line]) -> AsyncIterator[str]:
    """Write purchases as CSV, a line at a time."""
    yield _written(COLUMNS)
    async for line in lines:
        yield _written(_cells(line))


def _cells(line: Line) -> tuple[str, ...]:
    purchase, card, told = line.purchase, line.card, line.explanation
    fee_minor = line.fee_minor if line.total_minor else 0
    return (
        f"{purchase.occurred_at:%Y-%m-%d %H:%M:%S}",
        harmless(line.merchant),
        harmless(purchase.merchant_name),
        category(purchase.merchant_category),
        harmless(purchase.merchant_country or ""),
        harmless(f"{card.nickname} {card.last4}" if card else ""),
        *map(_plain, (line.amount_minor, fee_minor, line.total_minor, line.refunded_minor)),
        purchase.currency.upper(),
        line.status.value,
        told.customer if told else "",
        str(purchase.id),
    )


def harmless(text: str) -> str:
    """Give a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _plain(minor: int) -> str:
    sign = "-" if minor < 0 else ""
    whole, cents = divmod(abs(minor), 100)
    return f"{sign}{whole}.{cents:02}"


def _written(cells: tuple[str, ...]) -> str:
    held = io.StringIO()
    csv.writer(held).writerow(cells)
    return held.getvalue()
