"""Every action there is, by the name in its address, and those that a record's page offers."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from app.admin.pages.actions.act import Act
from app.admin.pages.actions.cards import CARD_ACTS
from app.admin.pages.actions.customers import CUSTOMER_ACTS
from app.admin.pages.actions.differences import DIFFERENCE_ACTS
from app.admin.pages.actions.money import MONEY_ACTS
from app.admin.pages.actions.paid_back import PAID_BACK_ACTS
from app.admin.pages.actions.prices import PRICE_ACTS
from app.admin.pages.actions.purchases import PURCHASE_ACTS
from app.admin.pages.actions.refunds import REFUND_ACTS
from app.admin.pages.actions.rule_changes import RULE_ACTS
from app.admin.pages.actions.rules import NEW_RULE_ACTS
from app.admin.pages.actions.staff import STAFF_ACTS
from app.admin.pages.actions.stop_merchant import MERCHANT_ACTS
from app.admin.pages.actions.system import SYSTEM_ACTS
from app.admin.pages.actions.unmatched import UNMATCHED_ACTS
from app.admin.pages.office_page import parts_of
from app.admin.permissions import allowed

ACTS: Mapping[str, Act] = {
    act.slug: act
    for act in (
        *CARD_ACTS,
        *CUSTOMER_ACTS,
        *REFUND_ACTS,
        *PURCHASE_ACTS,
        *MONEY_ACTS,
        *PAID_BACK_ACTS,
        *UNMATCHED_ACTS,
        *RULE_ACTS,
        *MERCHANT_ACTS,
        *NEW_RULE_ACTS,
        *SYSTEM_ACTS,
        *DIFFERENCE_ACTS,
        *PRICE_ACTS,
        *STAFF_ACTS,
    )
}


async def acts_on(request: Request, view: str, row: Any) -> list[tuple[Act, str]]:
    """Give the actions that the member may do to a record and that are possible now.

    Each with its address.
    """
    parts, staff = parts_of(request), request.state.staff
    offered = [
        act
        for act in ACTS.values()
        if view in (act.on or (act.view,))
        and act.offered(row)
        and allowed(staff, act.view, act.action)
    ]
    now = parts.clock.now()
    async with parts.sessions() as session:
        return [
            (act, act.address(row)) for act in offered if not await act.hindrance(session, row, now)
        ]


def acts_from(request: Request, view: str) -> list[tuple[str, str]]:
    """Give titles and addresses of the actions that a list's head offers the member."""
    staff = request.state.staff
    return [
        link
        for act in ACTS.values()
        if allowed(staff, act.view, act.action)
        for link in act.from_list(view)
    ]


def what_was_done(request: Request) -> str:
    """Say what an action has done, on the page that it led to; nothing on any other."""
    act = ACTS.get(request.query_params.get("did", ""))
    return act.done if act else ""
