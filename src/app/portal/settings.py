"""What a customer sets about themselves: profile, e-mail address, password, where they are in."""

from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from app.domain.identity.credential_models import Credential
from app.domain.identity.customer_sessions import CustomerSignedIn, end, end_all, lasting
from app.domain.identity.email_addresses import UnusableEmail
from app.domain.identity.mail_choices import ALWAYS, SWITCHABLE, choose_letters
from app.domain.identity.onboarding import progress
from app.domain.identity.password_changes import ask_to_change_email, change_password
from app.domain.identity.passwords import UnusablePassword
from app.domain.identity.second_steps import standing_of
from app.domain.identity.sign_in import TooManyAttempts, WrongPassword
from app.domain.issuing.staff_acts import staff_acts
from app.errors import AppError
from app.portal.visits import SIGN_IN, ForForm, ForPerson, ForVisit, Visit

SETTINGS = "/settings"


@get(SETTINGS, include_in_schema=False)
async def show_settings(visit: ForVisit, person: ForPerson) -> Response[str]:
    return await _page(visit, person)


@post("/settings/password", include_in_schema=False)
async def send_password(visit: ForVisit, person: ForPerson, form: ForForm) -> Response[str]:
    browser = visit.browser
    try:
        token = await change_password(
            visit.parts.sessions,
            person,
            form.raw("password"),
            form.raw("new_password"),
            actor=visit.actor,
            now=visit.now,
        )
    except (WrongPassword, UnusablePassword, TooManyAttempts) as refusal:
        at = "new_password" if isinstance(refusal, UnusablePassword) else "password"
        return await _page(visit, person, refusal, at)
    return visit.let_in(token, browser, f"{SETTINGS}?done=password")


@post("/settings/email", include_in_schema=False)
async def send_email(visit: ForVisit, person: ForPerson, form: ForForm) -> Response[str]:
    """Have a letter sent to the new address; the password must have been given just now."""
    try:
        await ask_to_change_email(
            visit.parts.sessions, person, form.text("email"), actor=visit.actor, now=visit.now
        )
    except (UnusableEmail, TooManyAttempts) as refusal:
        return await _page(visit, person, refusal, "email")
    return visit.go(f"{SETTINGS}?done=email-asked")


@post("/settings/letters", include_in_schema=False)
async def send_letters(visit: ForVisit, person: ForPerson, form: ForForm) -> Response[str]:
    wanted = [kind for kind in SWITCHABLE if form.text(kind) == "yes"]
    async with visit.parts.sessions.begin() as session:
        await choose_letters(session, person, wanted, visit.actor)
    return visit.go(f"{SETTINGS}?done=letters")


@post("/settings/sessions/others/end", include_in_schema=False)
async def send_end_others(visit: ForVisit, person: ForPerson, form: ForForm) -> Response[str]:  # noqa: ARG001
    async with visit.parts.sessions.begin() as session:
        await end_all(session, person.credential_id, visit.now, but=person.session_id)
    return visit.go(f"{SETTINGS}?done=sessions")


@post("/settings/sessions/{session_id:uuid}/end", include_in_schema=False)
async def send_end_session(
    visit: ForVisit,
    person: ForPerson,
    form: ForForm,  # noqa: ARG001
    session_id: FromPath[UUID],
) -> Response[str]:
    """End one session of the person's own; another person's id is as good as none."""
    async with visit.parts.sessions.begin() as session:
        await end(session, person, session_id, visit.actor, visit.now)
    if session_id == person.session_id:
        return visit.let_out(f"{SIGN_IN}?done=signed-out")
    return visit.go(f"{SETTINGS}?done=sessions")


async def _page(
    visit: Visit, person: CustomerSignedIn, refusal: AppError | None = None, at: str = ""
) -> Response[str]:
    async with visit.parts.sessions() as session:
        sessions = await lasting(session, person.credential_id, visit.now)
        far = await progress(session, person.credential_id)
        second_step = await standing_of(session, person.credential_id, visit.settings.secret_key)
        credential = await session.get_one(Credential, person.credential_id)
        acts = await staff_acts(session, person.customer_id) if person.customer_id else []
    return visit.refusable(
        "settings.html",
        refusal,
        at=at,
        sessions=sessions,
        customer=far.customer,
        accepted=far.accepted,
        done=visit.request.query_params.get("done", ""),
        second_step=second_step,
        switchable=SWITCHABLE,
        letters_off=credential.mail_off,
        always=ALWAYS,
        acts=acts,
        gave_password=person.gave_password(visit.now),
    )


SETTINGS_PAGES = (
    *(show_settings, send_password, send_email, send_letters),
    *(send_end_others, send_end_session),
)
