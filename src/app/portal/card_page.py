"""A virtual card: its face, what it may do, its purchases; and each change of it."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from app.domain.funding.ordering import in_order
from app.domain.identity.reasons import Reason
from app.domain.issuing.cards_moving import (
    NotYoursToUnfreeze,
    close_card,
    freeze_card,
    unfreeze_card,
)
from app.domain.issuing.cards_replacing import replace_card
from app.domain.issuing.cards_settings import (
    UnusableNickname,
    change_controls,
    controls_of,
    rename_card,
)
from app.domain.issuing.category_groups import single, whole_groups
from app.domain.issuing.mirroring import Mirror
from app.domain.issuing.models import Card
from app.domain.issuing.own_cards import merchants_of, own_card, used_of
from app.domain.issuing.purchase_list import Wanted, page_of
from app.domain.issuing.showing import shown_before
from app.domain.issuing.states import CardState
from app.domain.marks import MovedOn, mark
from app.domain.states import IllegalMove
from app.errors import AppError
from app.portal.card_bounds import last_day, shown_countries
from app.portal.card_forms import CardForm, form_of, read_controls
from app.portal.category_words import category
from app.portal.test_purchase_form import MERCHANTS, Trial, new_trial
from app.portal.visits import ForCustomer, ForForm, ForPerson, ForVisit, Visit

CARD = "/cards/{card_id:uuid}"
LATEST = 8
LOST = "card_lost_or_stolen"
NOTES = {
    "first": "Your account is set up, and this is your first card. Show its number, and pay with it"
    " as with any other card.",
    "opened": "The card is open. Show its number, and pay with it as with any other card.",
    "frozen": "The card is frozen. Purchases are declined until you unfreeze it.",
    "unfrozen": "The card works again.",
    "renamed": "The card has another name.",
    "limits": "The next purchase obeys the new settings.",
    "closed": "The card is closed.",
    "replaced": "This is the new card. The one before is closed.",
}
Change = Callable[..., Awaitable[Card]]


@get(CARD, include_in_schema=False)
async def show_card_page(
    visit: ForVisit, person: ForPerson, customer_id: ForCustomer, card_id: FromPath[UUID]
) -> Response[str]:
    return await card_page(visit, customer_id, card_id, asks=not person.gave_password(visit.now))


@post(CARD + "/freeze", include_in_schema=False)
async def send_freeze(
    visit: ForVisit,
    customer_id: ForCustomer,
    form: ForForm,
    card_id: FromPath[UUID],
) -> Response[str]:
    return await _moved(visit, customer_id, card_id, freeze_card, form.text("next") or "frozen")


@post(CARD + "/unfreeze", include_in_schema=False)
async def send_unfreeze(
    visit: ForVisit,
    customer_id: ForCustomer,
    form: ForForm,
    card_id: FromPath[UUID],
) -> Response[str]:
    """Let the card buy again; from a declined purchase this leads back to it."""
    onward = form.text("next") or "unfrozen"
    return await _moved(visit, customer_id, card_id, unfreeze_card, onward)


@post(CARD + "/rename", include_in_schema=False)
async def send_rename(
    visit: ForVisit, customer_id: ForCustomer, form: ForForm, card_id: FromPath[UUID]
) -> Response[str]:
    typed = form.text("nickname")
    try:
        async with visit.parts.sessions.begin() as session:
            await own_card(session, customer_id, card_id)
            await rename_card(session, card_id, typed, actor=visit.actor)
    except UnusableNickname as refusal:
        return await card_page(visit, customer_id, card_id, at="nickname", refusal=refusal)
    return _go(visit, card_id, "renamed")


@get(CARD + "/limits", include_in_schema=False)
async def show_limits(
    visit: ForVisit, customer_id: ForCustomer, card_id: FromPath[UUID]
) -> Response[str]:
    return await _limits_page(visit, customer_id, card_id)


@post(CARD + "/limits", include_in_schema=False)
async def send_limits(
    visit: ForVisit, customer_id: ForCustomer, form: ForForm, card_id: FromPath[UUID]
) -> Response[str]:
    """Put other limits on a card; a page from before another change says that it is stale."""
    async with visit.parts.sessions() as session:
        card = await own_card(session, customer_id, card_id)
        merchants = await merchants_of(session, card_id)
        sources = await in_order(session, customer_id)
    today = visit.parts.clock.now().date()
    controls, shown = read_controls(form, controls_of(card), today, merchants, sources)
    if shown.wanted:
        return await _limits_page(visit, customer_id, card_id, shown, status=422)
    try:
        async with visit.parts.sessions.begin() as session:
            seen = form.text("seen")
            await change_controls(session, card_id, controls, actor=visit.actor, seen=seen)
    except (MovedOn, IllegalMove) as refusal:
        problem, status = str(refusal), refusal.status_code
        return await _limits_page(visit, customer_id, card_id, problem=problem, status=status)
    return _go(visit, card_id, "limits")


@get([CARD + "/close", CARD + "/replace"], include_in_schema=False)
async def show_ending(
    visit: ForVisit, customer_id: ForCustomer, card_id: FromPath[UUID]
) -> Response[str]:
    """Ask before a card is closed or replaced, and say what still comes."""
    return await _ending_page(visit, customer_id, card_id)


@post(CARD + "/close", include_in_schema=False)
async def send_close(
    visit: ForVisit,
    customer_id: ForCustomer,
    form: ForForm,  # noqa: ARG001
    card_id: FromPath[UUID],
) -> Response[str]:
    return await _moved(visit, customer_id, card_id, close_card, "closed")


@post(CARD + "/replace", include_in_schema=False)
async def send_replace(
    visit: ForVisit, customer_id: ForCustomer, form: ForForm, card_id: FromPath[UUID]
) -> Response[str]:
    """Close a card and open one like it. Sent twice, it leads to what became of it."""
    parts = visit.parts
    lost = form.text("lost") == "yes"
    why = Reason(LOST, "The customer says so in the portal.") if lost else None
    try:
        async with parts.sessions.begin() as session:
            await own_card(session, customer_id, card_id)
            order = await replace_card(session, card_id, actor=visit.actor, why=why)
    except IllegalMove:
        return _go(visit, card_id, "")
    except AppError as refusal:
        return await _ending_page(visit, customer_id, card_id, refusal)
    await Mirror(parts.sessions, parts.network).send(order.id)
    new_id = UUID(order.wanted["card"])
    async with parts.sessions() as session:
        there = await session.get(Card, new_id) is not None
    return _go(visit, new_id, "replaced") if there else visit.go("/cards?done=replacing")


async def _moved(
    visit: Visit, customer_id: UUID, card_id: UUID, change: Change, onward: str
) -> Response[str]:
    """Move a card; what is so already stays so, as when a form is sent twice."""
    try:
        async with visit.parts.sessions.begin() as session:
            await own_card(session, customer_id, card_id)
            await change(session, card_id, actor=visit.actor)
    except NotYoursToUnfreeze as refusal:
        return await card_page(visit, customer_id, card_id, refusal=refusal)
    except IllegalMove:
        onward = ""
    if onward.startswith("/purchases/"):
        return visit.go(onward)
    return _go(visit, card_id, onward)


def _go(visit: Visit, card_id: UUID, done: str) -> Response[str]:
    return visit.go(f"/cards/{card_id}" + (f"?done={done}" if done else ""))


async def card_page(
    visit: Visit,
    customer_id: UUID,
    card_id: UUID,
    *,
    asks: bool = True,
    at: str = "",
    refusal: AppError | None = None,
    trial: Trial | None = None,
) -> Response[str]:
    """Show a card, with what was wrong in the form `at` was sent from. Raises CardNotFound."""
    now, asked = visit.parts.clock.now(), visit.request.query_params
    async with visit.parts.sessions() as session:
        card = await own_card(session, customer_id, card_id)
        told: dict[str, Any] = {
            "card": card,
            "used": await used_of(session, card.id, now),
            "sources": sorted(
                await in_order(session, customer_id),
                key=lambda one: one.id != card.funding_source_id,
            ),
            "lines": (
                await page_of(session, customer_id, Wanted(card_id=card.id), size=LATEST)
            ).lines,
            "shown": await shown_before(session, card.id),
        }
    told |= {
        "may": _may(card),
        "at": at,
        "asks": asks,
        "reveals": "reveal" in asked,
        "done": NOTES.get(asked.get("done", ""), ""),
        "refusal": refusal,
        "trial": trial or new_trial(),
        "merchants": MERCHANTS,
    }
    status = refusal.status_code if refusal else 200
    if card.state is CardState.CLOSED:
        return visit.page("card.html", status, **told)
    return visit.stripe_page("card.html", status, **told)


async def _limits_page(
    visit: Visit,
    customer_id: UUID,
    card_id: UUID,
    shown: CardForm | None = None,
    *,
    problem: str = "",
    status: int = 200,
) -> Response[str]:
    async with visit.parts.sessions() as session:
        card = await own_card(session, customer_id, card_id)
        merchants = await merchants_of(session, card_id)
        sources = await in_order(session, customer_id)
    form = shown or form_of(controls_of(card), merchants=merchants, sources=sources)
    told = {"card": card, "form": form, "wanted": form.wanted, "seen": mark(card)}
    return visit.page("card_limits.html", status, problem=problem, **told)


async def _ending_page(
    visit: Visit, customer_id: UUID, card_id: UUID, refusal: AppError | None = None
) -> Response[str]:
    async with visit.parts.sessions() as session:
        card = await own_card(session, customer_id, card_id)
    if card.state is CardState.CLOSED:
        return _go(visit, card_id, "")
    replacing = visit.request.url.path.endswith("/replace")
    return visit.refusable("card_ending.html", refusal, card=card, replacing=replacing)


def _may(card: Card) -> list[str]:
    """Say in words where a card works."""
    allowed = card.allowed_categories
    kinds = [one.value for one in whole_groups(allowed)] if allowed else []
    kinds += [category(one) for one in single(allowed)]
    said = [f"Only for {', '.join(kinds)}" if kinds else "For every kind of merchant we allow"]
    if card.merchant_lock:
        said.append("Only at the one merchant it is locked to")
    elif card.lock_to_first_merchant:
        said.append("Only at the first merchant it is used at")
    if card.allowed_countries:
        said.append(f"Only in {shown_countries(card.allowed_countries)}")
    if card.single_use:
        said.append("For a single purchase")
    if until := last_day(card.active_until):
        said.append(f"Until {until.day} {until:%B %Y}, and not after it")
    return said


CARD_PAGES = (
    *(show_card_page, send_freeze, send_unfreeze, send_rename),
    *(show_limits, send_limits, show_ending, send_close, send_replace),
)
