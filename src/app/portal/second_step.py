"""The second step of a sign-in: asked for after the password, and switched on and off."""

from uuid import UUID

from litestar import Response, get, post
from markupsafe import Markup

from app.domain.identity.customer_sessions import PasswordNeeded
from app.domain.identity.one_time_codes import address_of, picture_of
from app.domain.identity.second_steps import (
    NothingToConfirm,
    WrongCode,
    begin,
    confirm,
    half_signed_in,
    renew_recovery_codes,
    standing_of,
    take_step,
    turn_off,
)
from app.domain.identity.sign_in import TooManyAttempts
from app.errors import AppError
from app.portal.visits import SIGN_IN, ForForm, ForPerson, ForVisit, Visit, inside

SECOND_STEP = "/settings/second-step"
SIGN_IN_CODE = "/sign-in/code"


@get(SIGN_IN_CODE, include_in_schema=False)
async def show_code(visit: ForVisit) -> Response[str]:
    if visit.person is not None:
        return visit.go(inside(visit.request.query_params.get("next")))
    if not await half_signed_in(visit.parts.sessions, visit.session_token, visit.now):
        return visit.go(SIGN_IN)
    return visit.refusable("sign_in_code.html", None, onward=visit.request.query_params.get("next"))


@post(SIGN_IN_CODE, include_in_schema=False)
async def send_code(visit: ForVisit, form: ForForm) -> Response[str]:
    onward, browser = form.text("next"), visit.browser
    try:
        token = await take_step(
            visit.parts.sessions,
            visit.session_token,
            form.text("code"),
            key=visit.settings.secret_key,
            actor=visit.actor,
            now=visit.now,
        )
    except (WrongCode, TooManyAttempts) as refusal:
        return visit.refusable("sign_in_code.html", refusal, onward=onward)
    return visit.let_in(token, browser, inside(onward))


@get(SECOND_STEP, include_in_schema=False)
async def show_second_step(visit: ForVisit, person: ForPerson) -> Response[str]:
    """Show the secret that waits to be confirmed, to who has just given the password."""
    if not person.gave_password(visit.now):
        raise PasswordNeeded("Give your password again first.")
    return await _page(visit, person.credential_id, person.email, None)


@post("/settings/second-step/begin", include_in_schema=False)
async def send_begin(visit: ForVisit, person: ForPerson, form: ForForm) -> Response[str]:  # noqa: ARG001
    async with visit.parts.sessions.begin() as session:
        await begin(session, person, visit.now)
    return visit.go(SECOND_STEP)


@post("/settings/second-step/confirm", include_in_schema=False)
async def send_confirm(visit: ForVisit, person: ForPerson, form: ForForm) -> Response[str]:
    try:
        codes = await confirm(
            visit.parts.sessions,
            person,
            form.text("code"),
            key=visit.settings.secret_key,
            actor=visit.actor,
            now=visit.now,
        )
    except (WrongCode, TooManyAttempts) as refusal:
        return await _page(visit, person.credential_id, person.email, refusal)
    except NothingToConfirm:
        return visit.go("/settings")
    return visit.page("recovery_codes.html", codes=codes, renewed=False)


@post("/settings/second-step/recovery-codes", include_in_schema=False)
async def send_recovery_codes(
    visit: ForVisit,
    person: ForPerson,
    form: ForForm,  # noqa: ARG001
) -> Response[str]:
    """Show new recovery codes, this once."""
    try:
        async with visit.parts.sessions.begin() as session:
            codes = await renew_recovery_codes(session, person, actor=visit.actor, now=visit.now)
    except NothingToConfirm:
        return visit.go("/settings")
    return visit.page("recovery_codes.html", codes=codes, renewed=True)


@post("/settings/second-step/off", include_in_schema=False)
async def send_off(visit: ForVisit, person: ForPerson, form: ForForm) -> Response[str]:  # noqa: ARG001
    async with visit.parts.sessions.begin() as session:
        await turn_off(session, person, actor=visit.actor, now=visit.now)
    return visit.go("/settings?done=second-step-off")


async def _page(
    visit: Visit, credential_id: UUID, email: str, refusal: AppError | None
) -> Response[str]:
    async with visit.parts.sessions() as session:
        standing = await standing_of(session, credential_id, visit.settings.secret_key)
    if not standing.secret:
        return visit.go("/settings")
    picture = Markup(picture_of(address_of(standing.secret, email)))  # noqa: S704  drawn by us
    secret = " ".join(standing.secret[at : at + 4] for at in range(0, len(standing.secret), 4))
    return visit.refusable("second_step.html", refusal, picture=picture, secret=secret)


SECOND_STEPS = (
    *(show_code, send_code, show_second_step, send_begin, send_confirm),
    *(send_recovery_codes, send_off),
)
