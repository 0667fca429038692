"""What the back office consists of, and where the menu shows it."""

from datetime import UTC, datetime

import msgspec
from sqladmin import BaseView, ModelView
from starlette.requests import Request

from app.admin.pages.account import AccountPage
from app.admin.pages.actions.page import ActPage
from app.admin.pages.approvals import ApprovalPage
from app.admin.pages.books import ReceivablesByAgePage, TrialBalancePage
from app.admin.pages.customer import CustomerPage
from app.admin.pages.declines import DeclinesPage
from app.admin.pages.home import HomePage
from app.admin.pages.losses import LossesPage
from app.admin.pages.member import MemberPage
from app.admin.pages.member_acts import MemberActs
from app.admin.pages.profit import ProfitPage
from app.admin.pages.profit_accounts import ProfitAccountsPage
from app.admin.pages.purchase import PurchasePage
from app.admin.pages.queues import QueuesPage
from app.admin.pages.reconciliation import ReconciliationPage
from app.admin.pages.search import SearchPage
from app.admin.pages.test_purchase import TestPurchasePage
from app.admin.permissions import allowed
from app.admin.views.books import ChargeList, PriceList, TransactionList
from app.admin.views.cards import CardList
from app.admin.views.differences import DifferenceList
from app.admin.views.ledger import EntryList, JournalList
from app.admin.views.mails import MailList
from app.admin.views.orders import OrderList
from app.admin.views.oversight import ApprovalList, AuditList
from app.admin.views.owed import BalanceTransactionList, ReceivableList, RefundList
from app.admin.views.people import CustomerList, SourceList, StaffList
from app.admin.views.purchases import DeclineList, PurchaseList, RequestList
from app.admin.views.rules import AllowanceList, RuleList
from app.admin.views.system import EventList, JobList, JobLog, RegularJobList
from app.domain.identity.approvals import count_waiting


class Entry(msgspec.Struct, frozen=True):
    """A line of the menu; `view` is its name in the table of permissions."""

    label: str
    href: str
    view: str
    icon: str


def _list(label: str, view: str, icon: str) -> Entry:
    return Entry(label, f"/admin/{view}/list", view, icon)


PAGES: tuple[type[BaseView], ...] = (
    HomePage,
    PurchasePage,
    TestPurchasePage,
    TrialBalancePage,
    ReceivablesByAgePage,
    ProfitPage,
    AccountPage,
    ApprovalPage,
    MemberPage,
    MemberActs,
    ActPage,
    ReconciliationPage,
    ProfitAccountsPage,
    LossesPage,
    DeclinesPage,
    QueuesPage,
    SearchPage,
    CustomerPage,
)
VIEWS: tuple[type[ModelView], ...] = (
    PurchaseList,
    PriceList,
    DeclineList,
    RequestList,
    RuleList,
    AllowanceList,
    CardList,
    CustomerList,
    SourceList,
    ChargeList,
    TransactionList,
    RefundList,
    ReceivableList,
    JournalList,
    EntryList,
    BalanceTransactionList,
    MailList,
    EventList,
    JobList,
    JobLog,
    RegularJobList,
    StaffList,
    AuditList,
    ApprovalList,
    OrderList,
    DifferenceList,
)
WAITING_APPROVALS = "/admin/approvals/list?state=waiting"
MENU: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "",
        (
            Entry("Home", "/admin/", "home", "house"),
            Entry("To do", "/admin/queues", "queues", "inbox"),
            Entry("Approvals", WAITING_APPROVALS, "approvals", "user-check"),
        ),
    ),
    (
        "Profit",
        (
            Entry("Profit", "/admin/profit", "profit", "chart-line"),
            _list("Prices", "prices", "tag"),
        ),
    ),
    (
        "Declines",
        (
            Entry("Declines", "/admin/declines", "declines", "ban"),
            _list("All declines", "declines", "list"),
            _list("Requests", "requests", "circle-question"),
            _list("Rules", "rules", "scale-balanced"),
            _list("Allowed once", "allowances", "circle-check"),
        ),
    ),
    (
        "Cards",
        (
            _list("Purchases", "purchases", "bag-shopping"),
            _list("Cards", "cards", "credit-card"),
            _list("Card transactions", "transactions", "right-left"),
            Entry("Test purchase", "/admin/test", "test", "cart-shopping"),
        ),
    ),
    (
        "Customers",
        (
            _list("Customers", "customers", "users"),
            _list("Linked cards", "sources", "link"),
        ),
    ),
    (
        "Books",
        (
            _list("Charges", "charges", "money-bill"),
            _list("Refunds", "refunds", "rotate-left"),
            _list("Receivables", "receivables", "hand-holding-dollar"),
            Entry(
                "Receivables by age",
                "/admin/receivables-by-age",
                "receivables-by-age",
                "hourglass-half",
            ),
            Entry("Trial balance", "/admin/trial-balance", "trial-balance", "calculator"),
            Entry("Reconciliation", "/admin/reconciliation", "reconciliation", "scale-unbalanced"),
            _list("Differences", "differences", "not-equal"),
            _list("Journals", "journals", "book"),
            _list("Postings", "entries", "list-ol"),
            _list("Balance transactions", "balance-transactions", "building-columns"),
        ),
    ),
    (
        "System",
        (
            _list("Letters", "mails", "envelope"),
            _list("Orders to Stripe", "orders", "paper-plane"),
            _list("Events", "events", "bolt"),
            _list("Jobs", "jobs", "list-check"),
            _list("Job log", "job-log", "clock-rotate-left"),
            _list("Regular jobs", "regular-jobs", "repeat"),
            _list("Staff", "staff", "id-badge"),
            _list("Audit", "audit", "shoe-prints"),
        ),
    ),
)


async def approvals_waiting(request: Request) -> int:
    """Count what waits for somebody's approval, once for a page."""
    if not hasattr(request.state, "approvals_waiting"):
        async with request.state.parts.sessions() as session:
            request.state.approvals_waiting = await count_waiting(session, datetime.now(UTC))
    found: int = request.state.approvals_waiting
    return found


def seen_views(request: Request) -> set[str]:
    """Give the views that the menu shows to whoever asks. Test purchases never with a live key."""
    live = request.state.parts.settings.livemode
    entries = (entry for _, lines in MENU for entry in lines)
    return {
        entry.view
        for entry in entries
        if allowed(request.state.staff, entry.view) and not (live and entry.view == "test")
    }
