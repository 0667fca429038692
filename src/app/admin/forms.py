"""Forms that change something: a token of the session in each, checked before anything is done."""

import hashlib
import hmac
from uuid import UUID

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request

from app.domain.identity.sessions import SignedIn
from app.parts import Parts

FIELD = "csrf_token"


def csrf_token(request: Request) -> str:
    """Give the token that a form of this session carries, in a field named `csrf_token`."""
    parts: Parts = request.state.parts
    staff: SignedIn = request.state.staff
    return token_for(parts.settings.secret_key, staff.session_id)


def token_for(key: str, session_id: UUID) -> str:
    """Give the token of a session's forms. `key` is ours."""
    message = b"csrf:" + session_id.bytes
    return hmac.new(key.encode(), message, hashlib.sha256).hexdigest()


async def check_csrf(request: Request) -> FormData:
    """Give the posted form when it came from a page of this session; answer 403 when not."""
    form = await request.form()
    given = form.get(FIELD)
    if not isinstance(given, str) or not hmac.compare_digest(given, csrf_token(request)):
        raise HTTPException(
            403, "This form is from another session. Go back, reload the page, and send it again."
        )
    return form


def text_field(form: FormData, name: str, *, longest: int = 500) -> str:
    """Give a field's text without the space around it; empty when it is missing."""
    value = form.get(name)
    return value.strip()[:longest] if isinstance(value, str) else ""
