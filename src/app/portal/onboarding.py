"""From sign-up to the first card, in steps that can be left and taken up again."""

from collections.abc import Mapping, Sequence
from typing import Any

import stripe
import structlog
from litestar import Response, get, post

from app.adapters.stripe_people import StripePeople
from app.domain.identity.identity_answers import COUNTRIES, FIELDS, STATES, read_answers
from app.domain.identity.onboarding import (
    Progress,
    Text,
    accept,
    become_customer,
    keep_answers,
    progress,
)
from app.errors import AppError
from app.portal.agreements import fees, paragraphs, terms
from app.portal.first_card import first_card_step
from app.portal.landing import needed_plan
from app.portal.linking import consent_words
from app.portal.signing_up import ONBOARDING
from app.portal.steps import at, next_of, steps_of
from app.portal.visits import ForForm, ForPerson, ForVisit, Visit

log = structlog.get_logger()

SILENT = (
    "Our card partner does not answer at the moment. What you told us is kept; try again in a"
    " minute."
)
REFUSED = "Our card partner cannot accept what you told us. Look through your answers again."


@get(ONBOARDING, include_in_schema=False)
async def show_onboarding(visit: ForVisit, person: ForPerson) -> Response[str]:
    async with visit.parts.sessions() as session:
        far = await progress(session, person.credential_id)
    again = visit.request.query_params.get("step") == "identity" and not far.enrolled
    return await _page(visit, far, answers=far.answers, step="identity" if again else "")


@post("/onboarding/identity", include_in_schema=False)
async def send_identity(visit: ForVisit, person: ForPerson, form: ForForm) -> Response[str]:
    """Keep what a person says about themselves, or say at each field what is wanted."""
    given = {field: form.text(field) for field in FIELDS}
    answers, wanted = read_answers(given, visit.parts.clock.now().date())
    async with visit.parts.sessions.begin() as session:
        if not wanted:
            await keep_answers(session, person.credential_id, answers, visit.actor)
            return visit.go(ONBOARDING)
        far = await progress(session, person.credential_id)
    return await _page(visit, far, answers=answers, wanted=wanted, step="identity", status=422)


@post("/onboarding/terms", include_in_schema=False)
async def send_terms(visit: ForVisit, person: ForPerson, form: ForForm) -> Response[str]:
    """Store what was accepted, and make the person a customer here and at Stripe."""
    sessions = visit.parts.sessions
    async with sessions() as session:
        far = await progress(session, person.credential_id)
        texts = await _texts(visit, session)
    if far.enrolled:
        return visit.go(ONBOARDING)
    if wanted := _wanted_now(visit, far):
        kept = far.answers
        return await _page(visit, far, answers=kept, wanted=wanted, step="identity", status=422)
    unread = _unread(form.text("shown"), texts, agreed=form.text("agree") == "yes")
    if unread:
        return await _page(visit, far, answers=far.answers, problem=unread, status=422)
    async with sessions.begin() as session:
        await accept(
            session,
            person.credential_id,
            texts,
            actor=visit.actor,
            user_agent=visit.browser.user_agent,
            now=visit.now,
        )
    people = StripePeople(visit.parts.stripe.other, visit.parts.network)
    now = visit.parts.clock.now()
    try:
        await become_customer(sessions, people, person.credential_id, visit.actor, now=now)
    except AppError as refusal:
        problem, step, status = str(refusal), "identity", refusal.status_code
    except stripe.InvalidRequestError:
        log.exception("enrolment_refused")
        problem, step, status = REFUSED, "identity", 422
    except (stripe.StripeError, OSError):
        log.exception("enrolment_unanswered")
        problem, step, status = SILENT, "", 503
    else:
        return visit.go(ONBOARDING)
    return await _page(visit, far, answers=far.answers, problem=problem, step=step, status=status)


async def _page(
    visit: Visit,
    far: Progress,
    *,
    answers: Mapping[str, str],
    wanted: Mapping[str, str] | None = None,
    problem: str = "",
    step: str = "",
    status: int = 200,
) -> Response[str]:
    """Show the steps, and the form of the one that is next or was asked for."""
    async with visit.parts.sessions() as session:
        texts = await _texts(visit, session)
        steps = await steps_of(session, far)
    shown = step or next_of(steps)
    return visit.page(
        "onboarding.html",
        status,
        steps=at(steps, shown),
        step=shown,
        answers={field: answers.get(field, "") for field in FIELDS} | {"country": "US"},
        wanted=dict.fromkeys(FIELDS, "") | dict(wanted or {}),
        problem=problem,
        texts=texts,
        shown=_mark(texts),
        paragraphs=paragraphs,
        countries=COUNTRIES,
        states=[("", "Choose"), *((state, state) for state in STATES)],
        accepted=far.accepted,
        **await _told_for(visit, far, shown),
    )


async def _told_for(visit: Visit, far: Progress, step: str) -> dict[str, Any]:
    """Give what only one step shows."""
    if step == "link":
        return await consent_words(visit)
    if step == "card" and far.customer is not None:
        return await first_card_step(visit, far.customer)
    return {}


async def _texts(visit: Visit, session: Any) -> list[Text]:
    return [terms(), fees(await needed_plan(session, visit))]


def _wanted_now(visit: Visit, far: Progress) -> dict[str, str]:
    """Say what is wrong by now with answers that were taken once, when less was wanted of them."""
    return read_answers(far.answers, visit.parts.clock.now().date())[1] if far.answers else {}


def _mark(texts: Sequence[Text]) -> str:
    """Name the very texts that a page shows."""
    return ".".join(text.sha256 for text in texts)


def _unread(shown: str, texts: Sequence[Text], *, agreed: bool) -> str:
    """Say why this cannot count as accepting the texts; empty when it does."""
    if shown != _mark(texts):
        return "The terms or the fees have changed since you opened the page. Read them again."
    return "" if agreed else "To go on, agree to the terms and the fees."


ONBOARDING_PAGES = (show_onboarding, send_identity, send_terms)
