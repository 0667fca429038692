"""Forgotten passwords, and e-mail addresses that change: what the links in letters lead to."""

from litestar import Response, get, post
from litestar.params import FromQuery

from app.domain.identity.email_addresses import UnusableEmail
from app.domain.identity.mailed_tokens import LinkSpent
from app.domain.identity.password_changes import confirm_email, forgot, reset_password
from app.domain.identity.passwords import UnusablePassword
from app.domain.identity.sign_in import TooManyAttempts
from app.portal.visits import SIGN_IN, ForForm, ForVisit


@get("/forgot", include_in_schema=False)
async def show_forgot(visit: ForVisit) -> Response[str]:
    return visit.refusable("forgot.html", None, email="")


@post("/forgot", include_in_schema=False)
async def send_forgot(visit: ForVisit, form: ForForm) -> Response[str]:
    """Answer alike whether or not the address has an account."""
    email = form.text("email")
    try:
        await forgot(visit.parts.sessions, email, actor=visit.actor, now=visit.now)
    except (UnusableEmail, TooManyAttempts) as refusal:
        return visit.refusable("forgot.html", refusal, email=email)
    return visit.page("sent.html", email=email, what="password")


@get("/reset", include_in_schema=False)
async def show_reset(visit: ForVisit, token: FromQuery[str] = "") -> Response[str]:
    return visit.refusable("reset.html", None, token=token, spent=not token)


@post("/reset", include_in_schema=False)
async def send_reset(visit: ForVisit, form: ForForm) -> Response[str]:
    token = form.text("token")
    try:
        await reset_password(
            visit.parts.sessions, token, form.raw("password"), actor=visit.actor, now=visit.now
        )
    except (LinkSpent, UnusablePassword, TooManyAttempts) as refusal:
        spent = isinstance(refusal, LinkSpent)
        return visit.refusable("reset.html", refusal, token=token, spent=spent)
    return visit.let_out(f"{SIGN_IN}?done=password")


@get("/confirm-email", include_in_schema=False)
async def show_confirm_email(visit: ForVisit, token: FromQuery[str] = "") -> Response[str]:
    return visit.refusable("confirm_email.html", None, token=token, spent=not token)


@post("/confirm-email", include_in_schema=False)
async def send_confirm_email(visit: ForVisit, form: ForForm) -> Response[str]:
    token = form.text("token")
    try:
        await confirm_email(visit.parts.sessions, token, actor=visit.actor, now=visit.now)
    except (LinkSpent, TooManyAttempts) as refusal:
        spent = isinstance(refusal, LinkSpent)
        return visit.refusable("confirm_email.html", refusal, token=token, spent=spent)
    return visit.go("/settings?done=email" if visit.person else f"{SIGN_IN}?done=email")


PASSWORDS = (
    *(show_forgot, send_forgot, show_reset, send_reset),
    *(show_confirm_email, send_confirm_email),
)
