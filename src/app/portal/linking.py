"""Linking a real card: the consent, the card in Stripe's own fields, and what came of it."""

from typing import Any
from uuid import UUID

import stripe
import structlog
from litestar import Response, get, post
from litestar.params import FromPath

from app.adapters.stripe_linking import StripeLinking
from app.domain.funding.linking import (
    Asked,
    CannotLinkCards,
    Opened,
    SetupStatus,
    finish_linking,
    open_linking,
    start_linking,
)
from app.domain.funding.sources import LinkRules, own_source
from app.domain.funding.states import LinkingState
from app.domain.identity.sign_in import TooManyAttempts
from app.domain.issuing.cards import IssuedCards
from app.domain.issuing.own_cards import has_cards
from app.errors import AppError
from app.portal.agreements import consent
from app.portal.landing import needed_plan
from app.portal.once import ONCE, new_once, once_id
from app.portal.signing_up import ONBOARDING
from app.portal.steps import steps_ahead
from app.portal.visits import ForCustomer, ForForm, ForPerson, ForVisit, Visit

log = structlog.get_logger()

LINK = "/funding/link"
REFUSALS = {
    "not_yours": "Stripe has this card saved to somebody else. Enter it here once more.",
    "linked_already": "This card is linked already, so there is nothing to do.",
    "our_own": "This is one of your virtual cards. A virtual card cannot pay for itself: link the"
    " card that your bank gave you.",
    "kind_not_taken": "Prepaid cards cannot be linked, because they run out in the middle of a"
    " purchase. Link a credit or a debit card.",
    "expired": "This card has expired. Link the one that took its place.",
    "too_many_failures": "Several cards were refused here, so this page has ended. Nothing was"
    " linked. Begin again with a card that your bank has not blocked.",
}
CHANGED = "The words you agreed to have changed since you opened the page. Read them again."
UNTICKED = "To link a card, agree to the words above."
SILENT = "Stripe does not answer at the moment. Nothing is lost; reload the page in a minute."


class StripeSilent(AppError, status=503):
    """Stripe does not answer, so no card can be entered."""


@get(LINK, include_in_schema=False)
async def show_consent(visit: ForVisit, customer_id: ForCustomer) -> Response[str]:
    """Show what is agreed to, for a new card or for one whose bank wants to hear it again."""
    wanted = visit.request.query_params.get("confirms", "")
    return await _consent_page(visit, customer_id, wanted=wanted)


@post(LINK, include_in_schema=False)
async def send_consent(
    visit: ForVisit, person: ForPerson, customer_id: ForCustomer, form: ForForm
) -> Response[str]:
    """Keep the consent and go on to the card; the password must have been given just now."""
    confirms = form.text("confirms")
    if not person.gave_password(visit.now):
        return visit.go(f"{LINK}?confirms={confirms}" if confirms else LINK)
    async with visit.parts.sessions() as session:
        words = consent(await needed_plan(session, visit))
    if form.text("shown") != words.sha256:
        return await _consent_page(visit, customer_id, CHANGED, 422, wanted=confirms)
    if form.text("agree") != "yes":
        return await _consent_page(visit, customer_id, UNTICKED, 422, wanted=confirms)
    asked = Asked(
        id=once_id(customer_id, form.text(ONCE)),
        customer_id=customer_id,
        consent=words,
        user_agent=visit.browser.user_agent,
        confirms_id=_id(confirms) if confirms else None,
    )
    try:
        linking = await start_linking(visit.parts.sessions, asked, actor=visit.actor, now=visit.now)
    except (TooManyAttempts, CannotLinkCards) as refusal:
        status = refusal.status_code
        page = await _consent_page(visit, customer_id, str(refusal), status, wanted=confirms)
        if isinstance(refusal, TooManyAttempts):
            page.headers["Retry-After"] = str(refusal.seconds)
        return page
    return visit.go(f"{LINK}/{linking.id}")


@get(LINK + "/{linking_id:uuid}", include_in_schema=False)
async def show_linking(
    visit: ForVisit, customer_id: ForCustomer, linking_id: FromPath[UUID]
) -> Response[str]:
    """Show Stripe's fields, or what came of it. The bank's own page leads back to here as well."""
    return await _linking_page(visit, await _opened(visit, customer_id, linking_id))


@post(LINK + "/{linking_id:uuid}/finish", include_in_schema=False)
async def send_finish(
    visit: ForVisit,
    customer_id: ForCustomer,
    form: ForForm,  # noqa: ARG001
    linking_id: FromPath[UUID],
) -> Response[str]:
    """Look what the bank has said, and go on: to the next step, or to why it did not work."""
    opened = await _opened(visit, customer_id, linking_id)
    parts = visit.parts
    rules = LinkRules(IssuedCards(), parts.settings.refused_types)
    linking = await finish_linking(
        parts.sessions,
        _stripe(visit),
        rules,
        opened.linking,
        actor=visit.actor,
        now=parts.clock.now(),
    )
    if linking.state is not LinkingState.LINKED:
        return visit.go(f"{LINK}/{linking_id}")
    return await _onward(visit, customer_id, confirmed=linking.confirms_id is not None)


async def consent_words(visit: Visit) -> dict[str, Any]:
    """Give what a form that starts a linking shows and carries."""
    async with visit.parts.sessions() as session:
        words = consent(await needed_plan(session, visit))
    gave = visit.person is not None and visit.person.gave_password(visit.now)
    return {"words": words, "once": new_once(), "gave_password": gave, "confirms": None}


async def _consent_page(
    visit: Visit, customer_id: UUID, problem: str = "", status: int = 200, *, wanted: str = ""
) -> Response[str]:
    told = await consent_words(visit)
    if wanted:
        async with visit.parts.sessions() as session:
            told["confirms"] = await own_source(session, customer_id, _id(wanted))
    steps = [] if told["confirms"] else await steps_ahead(visit)
    return visit.page("link.html", status, problem=problem, steps=steps, **told)


async def _linking_page(visit: Visit, opened: Opened) -> Response[str]:
    linking, setup = opened.linking, opened.setup
    waits = linking.state is LinkingState.STARTED
    finishing = waits and setup.status is SetupStatus.SUCCEEDED
    told: dict[str, Any] = {
        "linking": linking,
        "confirms": opened.confirms,
        "steps": [] if opened.confirms else await steps_ahead(visit),
        "finishing": finishing,
        "reviewing": waits and setup.status is SetupStatus.PROCESSING,
        "over": waits and setup.status is SetupStatus.CANCELED,
        "refusal": REFUSALS.get(linking.refusal or "", ""),
        "secret": setup.client_secret,
        "back": f"{visit.settings.app_url.rstrip('/')}{LINK}/{linking.id}",
    }
    if waits and setup.status is SetupStatus.OPEN:
        return visit.stripe_page("linking.html", **told)
    return visit.page("linking.html", **told)


async def _opened(visit: Visit, customer_id: UUID, linking_id: UUID) -> Opened:
    try:
        return await open_linking(visit.parts.sessions, _stripe(visit), customer_id, linking_id)
    except (stripe.APIConnectionError, stripe.APIError, OSError) as error:
        log.exception("linking_not_opened")
        raise StripeSilent(SILENT) from error


async def _onward(visit: Visit, customer_id: UUID, *, confirmed: bool) -> Response[str]:
    """Go on to the first virtual card, or back to the linked ones."""
    if confirmed:
        return visit.go("/funding?done=confirmed")
    async with visit.parts.sessions() as session:
        first = not await has_cards(session, customer_id)
    return visit.go(ONBOARDING if first else "/funding?done=linked")


def _stripe(visit: Visit) -> StripeLinking:
    return StripeLinking(visit.parts.stripe.other, visit.parts.network)


def _id(text: str) -> UUID:
    """Read an id; what is none is the id of nothing."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


LINKING_PAGES = (show_consent, send_consent, show_linking, send_finish)
