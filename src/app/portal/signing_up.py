"""Opening an account: sign up, look into the mailbox, confirm with the password."""

from litestar import Response, get, post
from litestar.params import FromQuery

from app.domain.identity.credentials import confirm_sign_up, sign_up
from app.domain.identity.email_addresses import UnusableEmail
from app.domain.identity.mailed_tokens import LinkSpent
from app.domain.identity.passwords import UnusablePassword
from app.domain.identity.sign_in import TooManyAttempts, WrongPassword
from app.errors import AppError
from app.portal.visits import ForForm, ForVisit, Visit

ONBOARDING = "/onboarding"


@get("/sign-up", include_in_schema=False)
async def show_sign_up(visit: ForVisit) -> Response[str]:
    if visit.person is not None:
        return visit.go(ONBOARDING)
    return _sign_up_page(visit, "", None)


@post("/sign-up", include_in_schema=False)
async def send_sign_up(visit: ForVisit, form: ForForm) -> Response[str]:
    """Answer alike whether or not the address has an account."""
    email = form.text("email")
    try:
        await sign_up(
            visit.parts.sessions, email, form.raw("password"), actor=visit.actor, now=visit.now
        )
    except (UnusableEmail, UnusablePassword, TooManyAttempts) as refusal:
        return _sign_up_page(visit, email, refusal)
    return visit.page("sent.html", email=email, what="account")


@get("/verify", include_in_schema=False)
async def show_verify(visit: ForVisit, token: FromQuery[str] = "") -> Response[str]:
    """Ask for the password. Opening a link changes nothing: mail programs open links too."""
    return _verify_page(visit, token, None)


@post("/verify", include_in_schema=False)
async def send_verify(visit: ForVisit, form: ForForm) -> Response[str]:
    token, browser = form.text("token"), visit.browser
    try:
        begun = await confirm_sign_up(
            visit.parts.sessions,
            token,
            form.raw("password"),
            browser,
            actor=visit.actor,
            now=visit.now,
        )
    except (LinkSpent, WrongPassword, TooManyAttempts) as refusal:
        return _verify_page(visit, token, refusal)
    return visit.let_in(begun, browser, ONBOARDING)


def _sign_up_page(visit: Visit, email: str, refusal: AppError | None) -> Response[str]:
    """Say what is wanted at the field that is wrong, and keep the rest."""
    problems = {
        "email": str(refusal) if isinstance(refusal, UnusableEmail) else "",
        "password": str(refusal) if isinstance(refusal, UnusablePassword) else "",
        "form": str(refusal) if isinstance(refusal, TooManyAttempts) else "",
    }
    return visit.refusable("sign_up.html", refusal, email=email, problems=problems)


def _verify_page(visit: Visit, token: str, refusal: AppError | None) -> Response[str]:
    spent = isinstance(refusal, LinkSpent) or not token
    return visit.refusable("verify.html", refusal, token=token, spent=spent)


SIGNING_UP = (show_sign_up, send_sign_up, show_verify, send_verify)
