"""Lists of the people: customers, their linked cards, and the staff."""

from typing import Any

from app.admin.views.cells import email, expiry, identifier, titled
from app.admin.views.filters import Choice, DateRange, Whose
from app.admin.views.listing import ReadOnlyList, at, choices
from app.admin.views.searching import Search
from app.domain.funding.models import FundingSource
from app.domain.funding.states import FundingSourceState
from app.domain.identity.models import Customer, Staff
from app.domain.identity.states import CustomerState, StaffState


def of_customer(customer_id: Any) -> list[tuple[str, str]]:
    """Give where to see what a customer has and did."""
    lists = {
        "Purchases": "purchases",
        "Declines": "declines",
        "Cards": "cards",
        "Linked cards": "sources",
        "Charges": "charges",
    }
    return [(title, f"/admin/{view}/list?customer={customer_id}") for title, view in lists.items()]


@at("customers")
class CustomerList(ReadOnlyList, model=Customer):
    name, name_plural = "Customer", "Customers"
    personal = True
    column_list = ["created_at", "name", "email", "state", "exposure_limit_minor", "country"]
    column_details_list = [
        *("name", "full_email", "phone", "birth_date", "state", "exposure_limit_minor"),
        *("address_line1", "address_line2", "city", "region", "postal_code", "country"),
        *("terms_accepted_at", "terms_accepted_ip", "created_at"),
        *("stripe_customer_id", "stripe_cardholder_id"),
    ]
    column_labels = {
        "exposure_limit_minor": "Limit for open purchases",
        "full_email": "E-mail",
        "address_line1": "Address",
        "address_line2": "Address, second line",
        "terms_accepted_at": "Terms accepted",
        "terms_accepted_ip": "Terms accepted from",
    }
    column_sortable_list = ["created_at"]
    column_default_sort = ("created_at", True)
    cells = {
        "name": titled("/admin/customer"),
        "email": email,
        "full_email": email,
        "stripe_customer_id": identifier,
        "stripe_cardholder_id": identifier,
    }
    filters = (
        Choice("state", "State", Customer.state, choices(CustomerState)),
        DateRange("created", "Created", Customer.created_at),
    )
    search = Search(
        "name, whole e-mail, phone, Stripe id",
        ids=(Customer.stripe_customer_id, Customer.stripe_cardholder_id),
        texts=(Customer.phone,),
        customer=Customer.id,
    )

    def row_href(self, row: Any) -> str:
        return f"/admin/customer/{row.id}"

    def heading(self, row: Any) -> str:
        return str(row.name)

    def related(self, row: Any) -> list[tuple[str, str]]:
        return [("On one page", f"/admin/customer/{row.id}"), *of_customer(row.id)]


@at("sources")
class SourceList(ReadOnlyList, model=FundingSource):
    name, name_plural = "Linked card", "Linked cards"
    note = "Real cards of customers. The lowest priority number is tried first."
    column_list = [
        *("created_at", "customer_id", "brand", "last4", "expiry", "funding", "country"),
        *("is_default", "priority", "state"),
    ]
    column_details_list = [*column_list, "stripe_payment_method_id", "fingerprint"]
    column_labels = {"is_default": "Default", "created_at": "Linked"}
    column_sortable_list = ["created_at"]
    column_default_sort = ("created_at", True)
    cells = {
        "expiry": expiry,
        "stripe_payment_method_id": identifier,
        "fingerprint": identifier,
    }
    filters = (
        Whose("customer", "Customer", FundingSource.customer_id),
        Choice("state", "State", FundingSource.state, choices(FundingSourceState)),
        Choice(
            "funding",
            "Kind",
            FundingSource.funding,
            {kind: (kind, (kind,)) for kind in ("credit", "debit", "prepaid", "unknown")},
        ),
        Choice(
            "default",
            "Default",
            FundingSource.is_default,
            {"yes": ("yes", (True,)), "no": ("no", (False,))},
        ),
        DateRange("created", "Linked", FundingSource.created_at),
    )
    search = Search(
        "customer, last four digits, brand, Stripe id",
        ids=(FundingSource.stripe_payment_method_id,),
        texts=(FundingSource.brand,),
        customer=FundingSource.customer_id,
        source=FundingSource.id,
    )

    def heading(self, row: Any) -> str:
        return f"{row.brand} ···· {row.last4}"

    def related(self, row: Any) -> list[tuple[str, str]]:
        return [("Charges", f"/admin/charges/list?source={row.id}")]


@at("staff")
class StaffList(ReadOnlyList, model=Staff):
    name, name_plural = "Member of staff", "Staff"
    note = "Who works here, in which roles. Whoever is invited chooses a password of their own."
    column_list = ["name", "email", "roles", "state", "created_at"]
    column_details_list = column_list
    column_labels = {"created_at": "Added"}
    column_sortable_list = ["created_at"]
    column_default_sort = ("created_at", True)
    filters = (Choice("state", "State", Staff.state, choices(StaffState)),)
    search = Search("name, e-mail", texts=(Staff.name, Staff.email))

    def row_href(self, row: Any) -> str:
        return f"/admin/member/{row.id}"

    def heading(self, row: Any) -> str:
        return str(row.name)

    def related(self, row: Any) -> list[tuple[str, str]]:
        return [("Sessions and changes", f"/admin/member/{row.id}")]
