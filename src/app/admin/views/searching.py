"""The search box: one term, understood as what it looks like."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, false, func, or_, select

from app.domain.funding.models import FundingSource
from app.domain.identity.models import Customer
from app.domain.issuing.models import Authorization, Card
from app.money import parse_amount

_STRIPE_ID = re.compile(r"[a-z]{2,7}_[A-Za-z0-9_]{4,}")
_AMOUNT = re.compile(r"\d[\d,]*\.\d{2}")
_DIGITS = re.compile(r"\d{4}")


class Search(msgspec.Struct, frozen=True):
    """Which columns of a list a term is looked for in. What is left out is not searched."""

    hint: str
    ids: Sequence[Any] = ()
    texts: Sequence[Any] = ()
    amount: Any = None
    customer: Any = None
    card: Any = None
    source: Any = None
    purchase: Any = None

    def matching(self, term: str) -> ColumnElement[bool]:
        """Give the condition for a term: Stripe's id, e-mail, amount, last four digits, or text.

        Ids and e-mail addresses have to be complete: these are looked up, everything else is read
        through, newest first, until the page is full.
        """
        if _STRIPE_ID.fullmatch(term) and self.ids:
            return or_(false(), *(column == term for column in self.ids))
        if "@" in term and self.customer is not None:
            addressed = func.lower(Customer.email) == term.lower()
            return or_(false(), self.customer.in_(_customers(addressed)))
        found = [column.icontains(term, autoescape=True) for column in self.texts]
        if _AMOUNT.fullmatch(term) and self.amount is not None:
            found.append(func.abs(self.amount) == parse_amount(term))
        if _DIGITS.fullmatch(term):
            found += self._by_last4(term)
        if self.purchase is not None:
            named = Authorization.merchant_name.icontains(term, autoescape=True)
            found.append(self.purchase.in_(select(Authorization.id).where(named)))
        if self.customer is not None:
            name = Customer.first_name + " " + Customer.last_name
            found.append(self.customer.in_(_customers(name.icontains(term, autoescape=True))))
        return or_(false(), *found)

    def _by_last4(self, term: str) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if self.card is not None:
            found.append(self.card.in_(select(Card.id).where(Card.last4 == term)))
        if self.source is not None:
            found.append(
                self.source.in_(select(FundingSource.id).where(FundingSource.last4 == term))
            )
        return found


def _customers(condition: ColumnElement[bool]) -> Any:
    return select(Customer.id).where(condition)
