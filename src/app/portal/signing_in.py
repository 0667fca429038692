"""Signing in and out, and the password again before what must not be done by a borrowed screen."""

from urllib.parse import urlencode

from litestar import Response, get, post
from litestar.params import FromQuery

from app.domain.identity.credentials import (
    DEMO_EMAIL,
    credential_by_email,
    give_password_again,
    sign_in,
    sign_in_demo,
)
from app.domain.identity.customer_sessions import CustomerSignedIn, end
from app.domain.identity.second_steps import WrongCode, half_signed_in, is_on
from app.domain.identity.sign_in import TooManyAttempts, WrongPassword
from app.errors import AppError
from app.portal.linking import LINK
from app.portal.second_step import SIGN_IN_CODE
from app.portal.signing_up import ONBOARDING
from app.portal.steps import steps_ahead
from app.portal.visits import SIGN_IN, ForForm, ForPerson, ForVisit, Visit, inside


class DemoClosed(AppError, status=404):
    """One-click sign-in exists only where the card network is simulated."""


@get("/sign-in", include_in_schema=False)
async def show_sign_in(visit: ForVisit, done: FromQuery[str] = "") -> Response[str]:
    onward = visit.request.query_params.get("next", "")
    if visit.person is not None:
        return visit.go(inside(onward))
    return await _page(visit, onward=onward, done=done)


@post("/sign-in", include_in_schema=False)
async def send_sign_in(visit: ForVisit, form: ForForm) -> Response[str]:
    email, browser, onward = form.text("email"), visit.browser, form.text("next")
    try:
        token = await sign_in(
            visit.parts.sessions,
            email,
            form.raw("password"),
            browser,
            actor=visit.actor,
            now=visit.now,
        )
    except (WrongPassword, TooManyAttempts) as refusal:
        return await _page(visit, email=email, onward=onward, refusal=refusal)
    if await half_signed_in(visit.parts.sessions, token, visit.now):
        return visit.let_in(token, browser, f"{SIGN_IN_CODE}?{urlencode({'next': onward})}")
    return visit.let_in(token, browser, inside(onward))


@post("/sign-in/demo", include_in_schema=False)
async def send_demo(visit: ForVisit, form: ForForm) -> Response[str]:
    """Let the demo's customer in by one click. Where money could be real there is no such page."""
    if not visit.settings.simulated:
        raise DemoClosed("One-click sign-in is for the simulated card network only.")
    browser = visit.browser
    token = await sign_in_demo(visit.parts.sessions, browser, actor=visit.actor, now=visit.now)
    return visit.let_in(token, browser, inside(form.text("next")))


@post("/sign-out", include_in_schema=False)
async def send_sign_out(visit: ForVisit, form: ForForm) -> Response[str]:  # noqa: ARG001
    if visit.person is not None:
        async with visit.parts.sessions.begin() as session:
            await end(session, visit.person, visit.person.session_id, visit.actor, visit.now)
    return visit.let_out(f"{SIGN_IN}?done=signed-out")


@get("/password-again", include_in_schema=False)
async def show_password_again(visit: ForVisit, person: ForPerson) -> Response[str]:
    onward = inside(visit.request.query_params.get("next"))
    return await _again_page(visit, person, onward)


@post("/password-again", include_in_schema=False)
async def send_password_again(visit: ForVisit, person: ForPerson, form: ForForm) -> Response[str]:
    onward, browser = inside(form.text("next")), visit.browser
    try:
        token = await give_password_again(
            visit.parts.sessions,
            person,
            form.raw("password"),
            code=form.text("code"),
            key=visit.settings.secret_key,
            actor=visit.actor,
            now=visit.now,
        )
    except (WrongPassword, WrongCode, TooManyAttempts) as refusal:
        return await _again_page(visit, person, onward, refusal)
    return visit.let_in(token, browser, onward)


async def _again_page(
    visit: Visit, person: CustomerSignedIn, onward: str, refusal: AppError | None = None
) -> Response[str]:
    async with visit.parts.sessions() as session:
        wants_code = await is_on(session, person.credential_id)
    at = "code" if isinstance(refusal, WrongCode) else "password"
    steps = await steps_ahead(visit) if onward.startswith((ONBOARDING, LINK)) else []
    return visit.refusable(
        "password_again.html", refusal, onward=onward, wants_code=wants_code, at=at, steps=steps
    )


async def _page(
    visit: Visit,
    *,
    email: str = "",
    onward: str = "",
    done: str = "",
    refusal: AppError | None = None,
) -> Response[str]:
    demo = False
    if visit.settings.simulated:
        async with visit.parts.sessions() as session:
            demo = await credential_by_email(session, DEMO_EMAIL) is not None
    told = {"email": email, "onward": onward, "done": done, "demo": demo}
    return visit.refusable("sign_in.html", refusal, **told)


SIGNING_IN = (
    *(show_sign_in, send_sign_in, send_demo, send_sign_out),
    *(show_password_again, send_password_again),
)
