"""The customer's virtual cards: the list, and opening another one."""

from uuid import UUID

import stripe
import structlog
from litestar import Response, get, post

from app.domain.funding.ordering import in_order
from app.domain.identity.sign_in import TooManyAttempts
from app.domain.issuing.cards import CardControls, CustomerCannotHoldCards
from app.domain.issuing.opening import Opening, open_card
from app.domain.issuing.own_cards import all_cards, has_cards
from app.domain.issuing.states import CardState
from app.portal.card_forms import CardForm, form_of, nickname_wanted, read_controls
from app.portal.once import ONCE, new_once, once_id
from app.portal.steps import steps_ahead
from app.portal.visits import ForCustomer, ForForm, ForVisit, Visit

log = structlog.get_logger()

CARDS = "/cards"
SILENT = (
    "Our card partner does not answer at the moment. No card was opened; send the form once more in"
    " a minute."
)
REFUSED = (
    "Our card partner does not let us open a card for you yet. It still looks at what you told us."
)


@get(CARDS, include_in_schema=False)
async def show_cards(visit: ForVisit, customer_id: ForCustomer) -> Response[str]:
    async with visit.parts.sessions() as session:
        cards = await all_cards(session, customer_id)
    return visit.page(
        "cards.html",
        usable=[card for card in cards if card.state is not CardState.CLOSED],
        closed=[card for card in cards if card.state is CardState.CLOSED],
        done=visit.request.query_params.get("done", ""),
    )


@get("/cards/new", include_in_schema=False)
async def show_new_card(visit: ForVisit, customer_id: ForCustomer) -> Response[str]:
    async with visit.parts.sessions() as session:
        sources = await in_order(session, customer_id)
    return await _form_page(visit, form_of(CardControls(), sources=sources), new_once())


@post("/cards/new", include_in_schema=False)
async def send_new_card(visit: ForVisit, customer_id: ForCustomer, form: ForForm) -> Response[str]:
    """Open a card. The same form sent again leads to the card it has opened."""
    async with visit.parts.sessions() as session:
        sources = await in_order(session, customer_id)
        first = not await has_cards(session, customer_id)
    today = visit.parts.clock.now().date()
    controls, shown = read_controls(form, CardControls(), today, sources=sources)
    nickname, once = form.text("nickname"), form.text(ONCE)
    wanted = dict(shown.wanted)
    if problem := nickname_wanted(nickname):
        wanted["nickname"] = problem
    if wanted:
        return await _form_page(visit, shown, once, wanted=wanted, status=422)
    asked = Opening(once_id(customer_id, once), customer_id, nickname, controls)
    try:
        card = await open_card(
            visit.parts.sessions, visit.parts.network, asked, actor=visit.actor, now=visit.now
        )
    except TooManyAttempts as refusal:
        page = await _form_page(visit, shown, once, problem=str(refusal), status=429)
        page.headers["Retry-After"] = str(refusal.seconds)
        return page
    except CustomerCannotHoldCards as refusal:
        return await _form_page(
            visit, shown, once, problem=str(refusal), status=refusal.status_code
        )
    except stripe.InvalidRequestError:
        log.exception("card_refused")
        return await _form_page(visit, shown, once, problem=REFUSED, status=409)
    except (stripe.StripeError, OSError):
        log.exception("card_unanswered")
        return await _form_page(visit, shown, once, problem=SILENT, status=503)
    return visit.go(_opened(card.id, first=first))


def _opened(card_id: UUID, *, first: bool) -> str:
    return f"{CARDS}/{card_id}?done={'first' if first else 'opened'}"


async def _form_page(
    visit: Visit,
    shown: CardForm,
    once: str,
    *,
    wanted: dict[str, str] | None = None,
    problem: str = "",
    status: int = 200,
) -> Response[str]:
    told = {"form": shown, "wanted": wanted or {}, "once": once, "problem": problem}
    return visit.page("card_new.html", status, steps=await steps_ahead(visit), **told)


CARD_LIST = (show_cards, show_new_card, send_new_card)
