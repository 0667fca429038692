"""What the back office consists of, and where the menu shows it."""

import msgspec
from sqladmin import BaseView, ModelView
from starlette.requests import Request

from app.admin.pages.home import HomePage
from app.admin.pages.purchase import PurchasePage
from app.admin.pages.test_purchase import TestPurchasePage
from app.admin.permissions import allowed
from app.admin.views.books import ChargeList, PriceList, TransactionList
from app.admin.views.cards import CardList
from app.admin.views.people import CustomerList, SourceList, StaffList
from app.admin.views.purchases import DeclineList, PurchaseList, RequestList
from app.admin.views.system import AuditList, EventList, JobList, JobLog


class Entry(msgspec.Struct, frozen=True):
    """A line of the menu; `view` is its name in the table of permissions."""

    label: str
    href: str
    view: str
    icon: str


def _list(label: str, view: str, icon: str) -> Entry:
    return Entry(label, f"/admin/{view}/list", view, icon)


PAGES: tuple[type[BaseView], ...] = (HomePage, PurchasePage, TestPurchasePage)
VIEWS: tuple[type[ModelView], ...] = (
    PurchaseList,
    PriceList,
    DeclineList,
    RequestList,
    CardList,
    CustomerList,
    SourceList,
    ChargeList,
    TransactionList,
    EventList,
    JobList,
    JobLog,
    StaffList,
    AuditList,
)
MENU: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "",
        (
            Entry("Home", "/admin/", "home", "house"),
            Entry("Test purchase", "/admin/test", "test", "cart-shopping"),
        ),
    ),
    ("Profit", (_list("Purchases", "purchases", "bag-shopping"), _list("Prices", "prices", "tag"))),
    (
        "Declines",
        (_list("Declines", "declines", "ban"), _list("Requests", "requests", "circle-question")),
    ),
    ("Cards", (_list("Cards", "cards", "credit-card"),)),
    (
        "Customers",
        (_list("Customers", "customers", "users"), _list("Linked cards", "sources", "link")),
    ),
    (
        "Books",
        (
            _list("Charges", "charges", "money-bill"),
            _list("Card transactions", "transactions", "right-left"),
        ),
    ),
    (
        "System",
        (
            _list("Events", "events", "bolt"),
            _list("Jobs", "jobs", "list-check"),
            _list("Job log", "job-log", "clock-rotate-left"),
            _list("Staff", "staff", "id-badge"),
            _list("Audit", "audit", "book"),
        ),
    ),
)


def seen_views(request: Request) -> set[str]:
    """Give the views that the menu shows to whoever asks. Test purchases never with a live key."""
    live = request.state.parts.settings.livemode
    entries = (entry for _, lines in MENU for entry in lines)
    return {
        entry.view
        for entry in entries
        if allowed(request.state.staff, entry.view) and not (live and entry.view == "test")
    }
