"""The list of virtual cards."""

from typing import Any

from app.admin.views.cells import expiry, identifier
from app.admin.views.filters import Choice, DateRange, Whose
from app.admin.views.listing import ReadOnlyList, at, choices
from app.admin.views.searching import Search
from app.domain.issuing.models import Card
from app.domain.issuing.states import CardState


@at("cards")
class CardList(ReadOnlyList, model=Card):
    name, name_plural = "Card", "Cards"
    note = "Virtual cards we issued."
    column_list = [
        *("created_at", "customer_id", "nickname", "last4", "expiry", "state"),
        *("daily_limit_minor", "monthly_limit_minor", "purchase_limit_minor", "single_use"),
    ]
    column_details_list = [
        *column_list,
        *("allowed_categories", "blocked_categories", "allowed_countries", "blocked_countries"),
        *("merchant_lock", "lock_to_first_merchant", "active_until", "stripe_card_id"),
    ]
    column_labels = {
        "created_at": "Issued",
        "daily_limit_minor": "A day",
        "monthly_limit_minor": "A month",
        "purchase_limit_minor": "A purchase",
        "merchant_lock": "Only at merchant",
        "lock_to_first_merchant": "Only where first used",
    }
    column_sortable_list = ["created_at"]
    column_default_sort = ("created_at", True)
    cells = {"expiry": expiry, "stripe_card_id": identifier, "merchant_lock": identifier}
    filters = (
        Whose("customer", "Customer", Card.customer_id),
        Choice("state", "State", Card.state, choices(CardState)),
        DateRange("created", "Issued", Card.created_at),
    )
    search = Search(
        "customer, name of the card, last four digits, Stripe id",
        ids=(Card.stripe_card_id,),
        texts=(Card.nickname,),
        customer=Card.customer_id,
        card=Card.id,
    )

    def heading(self, row: Any) -> str:
        return f"{row.nickname} ···· {row.last4}"

    def related(self, row: Any) -> list[tuple[str, str]]:
        return [
            ("Purchases", f"/admin/purchases/list?card={row.id}"),
            ("Declines", f"/admin/declines/list?card={row.id}"),
            ("Card transactions", f"/admin/transactions/list?card={row.id}"),
        ]
