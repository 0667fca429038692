"""The customer's purchases: the list with its filter, the same as CSV, and each one's trail."""

from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Stream

from app.domain.issuing.allowable import may_be_allowed
from app.domain.issuing.allowing import CannotAllow, allowed_until
from app.domain.issuing.bill import bill_of
from app.domain.issuing.customer_trail import trail_of
from app.domain.issuing.debt_stops import stop_of
from app.domain.issuing.lines import lines_of
from app.domain.issuing.overview import all_cards_of
from app.domain.issuing.owing import dues_on
from app.domain.issuing.own_allowing import allow_own_once
from app.domain.issuing.purchase_list import every, has_any, own_purchase, page_of
from app.domain.issuing.remedies import customer_may_allow, remedy_for
from app.domain.issuing.story import tell
from app.portal.purchase_csv import csv_of
from app.portal.purchase_filter import Asked, read_filter
from app.portal.purchase_ways import ways_of
from app.portal.visits import ForCustomer, ForForm, ForVisit, Visit

PURCHASES_PATH = "/purchases"


@get(PURCHASES_PATH, include_in_schema=False)
async def show_purchases(visit: ForVisit, customer_id: ForCustomer) -> Response[str]:
    asked = await _filter(visit, customer_id)
    place = visit.request.query_params.get("at", "")
    async with visit.parts.sessions() as session:
        page = await page_of(session, customer_id, asked.wanted, place)
        some = bool(page.lines) or await has_any(session, customer_id)
    return visit.page(
        "purchases.html",
        422 if asked.is_wrong else 200,
        asked=asked,
        page=page,
        some=some,
        at_start=page.before is None,
    )


@get("/purchases.csv", include_in_schema=False)
async def purchases_as_csv(visit: ForVisit, customer_id: ForCustomer) -> Stream:
    """Give every purchase of a filter. What cannot be read in the filter is left out, as there."""
    asked = await _filter(visit, customer_id)
    name = f"purchases-{visit.parts.clock.now():%Y-%m-%d}.csv"
    return Stream(
        csv_of(every(visit.parts.sessions, customer_id, asked.wanted)),
        media_type="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@get("/purchases/{purchase_id:uuid}", include_in_schema=False)
async def show_purchase(
    visit: ForVisit, customer_id: ForCustomer, purchase_id: FromPath[UUID]
) -> Response[str]:
    return await _purchase_page(visit, customer_id, purchase_id)


@post("/purchases/{purchase_id:uuid}/allow-once", include_in_schema=False)
async def send_allow_once(
    visit: ForVisit,
    customer_id: ForCustomer,
    form: ForForm,  # noqa: ARG001
    purchase_id: FromPath[UUID],
) -> Response[str]:
    """Let the next try of a purchase pass; a second click finds it done."""
    now = visit.parts.clock.now()
    try:
        async with visit.parts.sessions.begin() as session:
            await allow_own_once(session, customer_id, purchase_id, actor=visit.actor, now=now)
    except CannotAllow as refusal:
        return await _purchase_page(visit, customer_id, purchase_id, str(refusal))
    return visit.go(f"{PURCHASES_PATH}/{purchase_id}?done=allowed")


async def _filter(visit: Visit, customer_id: UUID) -> Asked:
    async with visit.parts.sessions() as session:
        cards = await all_cards_of(session, customer_id)
    return read_filter(visit.request.query_params, cards)


async def _purchase_page(
    visit: Visit, customer_id: UUID, purchase_id: UUID, problem: str = ""
) -> Response[str]:
    now = visit.parts.clock.now()
    async with visit.parts.sessions() as session:
        purchase = await own_purchase(session, customer_id, purchase_id)
        [line] = await lines_of(session, customer_id, [purchase.id])
        story = await tell(session, purchase)
        dues = await dues_on(session, purchase, story.debts, now)
        allowed = await allowed_until(session, purchase.id, now)
        stop = await stop_of(session, customer_id, visit.settings.debt_allowed, now)
        possible = await may_be_allowed(session, purchase, now)
    reason = line.reason if line.declined else None
    remedy = remedy_for(reason) if reason else None
    return visit.page(
        "purchase.html",
        409 if problem else 200,
        line=line,
        story=story,
        bill=bill_of(line, story),
        dues=dues,
        trail=trail_of(story, dues),
        is_stopped=bool(stop and stop.is_past),
        remedy=remedy,
        ways=ways_of(remedy, line.card) if remedy else [],
        may_allow=possible and reason is not None and customer_may_allow(reason),
        allowed_until=allowed,
        problem=problem,
        done=visit.request.query_params.get("done", ""),
    )


PURCHASES = (show_purchases, purchases_as_csv, show_purchase, send_allow_once)
