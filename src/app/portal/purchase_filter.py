"""What is asked of the list of purchases, read from the address; mistakes are said at the field."""

from collections.abc import Mapping, Sequence
from datetime import date
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from app.days import is_known
from app.domain.issuing.lines import PurchaseStatus
from app.domain.issuing.models import Card
from app.domain.issuing.purchase_list import LONGEST_SEARCH, Order, Wanted

FIELDS = ("q", "card", "status", "from", "to", "sort")
ORDERS = {
    Order.NEWEST: "Newest first",
    Order.OLDEST: "Oldest first",
    Order.MERCHANT: "By merchant",
    Order.LARGEST: "Largest first",
    Order.SMALLEST: "Smallest first",
}


class Asked(msgspec.Struct, frozen=True):
    """A filter as it was typed, what of it could be read, and what could not be, by field."""

    typed: dict[str, str]
    wanted: Wanted
    problems: dict[str, str]
    cards: Sequence[Card]

    @property
    def is_wrong(self) -> bool:
        return any(self.problems.values())

    @property
    def card_choices(self) -> list[tuple[str, str]]:
        named = [(str(card.id), f"{card.nickname} •••• {card.last4}") for card in self.cards]
        return [("", "All cards"), *named]

    @property
    def status_choices(self) -> list[tuple[str, str]]:
        return [("", "All"), *((one.value, one.value.capitalize()) for one in PurchaseStatus)]

    @property
    def order_words(self) -> str:
        return ORDERS[self.wanted.order]

    @property
    def order_choices(self) -> list[tuple[str, str]]:
        return [(order.value, words) for order, words in ORDERS.items()]

    def query(self, **more: str) -> str:
        """Write the filter as the query of an address, with what is given on top."""
        kept = {name: value for name, value in self.typed.items() if value}
        asked = urlencode({**kept, **more})
        return f"?{asked}" if asked else ""


def read_filter(given: Mapping[str, str], cards: Sequence[Card]) -> Asked:
    """Read a filter. What cannot be read is left out of what is wanted, and kept as typed."""
    typed = {name: given.get(name, "")[:LONGEST_SEARCH].strip() for name in FIELDS}
    problems: dict[str, str] = {}
    since, until = _day(typed, "from", problems), _day(typed, "to", problems)
    if since and until and since > until:
        problems["to"] = "The last day is before the first one."
    wanted = Wanted(
        text=typed["q"] if typed["q"].isprintable() else "",
        card_id=_card(typed["card"], cards, problems),
        status=_status(typed["status"], problems),
        since=since,
        until=until,
        order=Order(typed["sort"]) if typed["sort"] in set(Order) else Order.NEWEST,
    )
    return Asked(typed, wanted, dict.fromkeys(FIELDS, "") | problems, cards)


def _day(typed: Mapping[str, str], name: str, problems: dict[str, str]) -> date | None:
    if not typed[name]:
        return None
    try:
        day = date.fromisoformat(typed[name])
    except ValueError:
        day = date.max
    if not is_known(day):
        problems[name] = "Write a day like 2026-11-24."
        return None
    return day


def _card(typed: str, cards: Sequence[Card], problems: dict[str, str]) -> UUID | None:
    if not typed:
        return None
    found = next((card.id for card in cards if str(card.id) == typed), None)
    if found is None:
        problems["card"] = "Choose one of your cards."
    return found


def _status(typed: str, problems: dict[str, str]) -> PurchaseStatus | None:
    if not typed:
        return None
    if typed not in set(PurchaseStatus):
        problems["status"] = "Choose one of the list."
        return None
    return PurchaseStatus(typed)
