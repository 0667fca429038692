"""Who asks for a page, and how they are answered: pages, ways on, and the cookies in between."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID

from litestar import MediaType, Request, Response
from litestar.datastructures import FormMultiDict
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from app.domain.identity.audit import Actor
from app.domain.identity.customer_sessions import Browser, CustomerSignedIn, current
from app.domain.identity.sign_in import TooManyAttempts
from app.errors import AppError
from app.parts import Parts
from app.portal.cookies import Kept, drop_cookie, name_of, set_cookie
from app.portal.rendering import render
from app.watch import Trouble

DASHBOARD = "/dashboard"
SIGN_IN = "/sign-in"
FORM_TOKEN = "form_token"  # noqa: S105  the name of a field
LONGEST_FIELD = 500


class SignInNeeded(AppError, status=401):
    """A page of a customer's was asked for by a stranger."""


class CustomerNeeded(AppError, status=403):
    """A customer's page was asked for by a person who has not finished signing up."""


class StaleForm(AppError, status=403):
    """A form that was opened in another session, or in none."""


class DatabaseAway(AppError, status=503):
    """Nobody's sign-in can be checked."""


class Visit:
    """A request for a page, whoever it is from."""

    def __init__(
        self, request: Request[Any, Any, Any], parts: Parts, person: CustomerSignedIn | None
    ) -> None:
        self.request = request
        self.parts = parts
        self.settings = parts.settings
        self.person = person
        self.now = datetime.now(UTC)
        kept = request.cookies.get(name_of(Kept.FORMS, self.settings), "")
        self.new_forms = "" if kept else secrets.token_urlsafe(16)
        self.forms = kept or self.new_forms

    @property
    def actor(self) -> Actor:
        address = self.request.client.host if self.request.client else None
        visitor = Actor("visitor", None, address, self.request.state.request_id)
        return self.person.actor(visitor) if self.person else visitor

    @property
    def browser(self) -> Browser:
        """Give the browser by the name it was given for a year, or by a new one."""
        device = self.request.cookies.get(name_of(Kept.DEVICE, self.settings))
        agent = self.request.headers.get("user-agent", "")
        return Browser(device[:100] if device else secrets.token_urlsafe(16), agent)

    @property
    def session_token(self) -> str:
        """Give the secret that the browser has sent, whatever it is good for."""
        return self.request.cookies.get(name_of(Kept.SESSION, self.settings), "")

    @property
    def form_token(self) -> str:
        """Give what a form of this session, or of this browser, carries."""
        whose = self.person.session_id.bytes if self.person else self.forms.encode()
        key = self.settings.secret_key.encode()
        return hmac.new(key, b"portal form:" + whose, hashlib.sha256).hexdigest()

    def page(self, template: str, status: int = 200, **told: Any) -> Response[str]:
        """Answer with a page."""
        known = {
            "visit": self,
            "person": self.person,
            "nonce": self.request.state.nonce,
            "form_token": self.form_token,
            "path": self.request.url.path,
            "simulated": self.settings.simulated,
        }
        html = render(template, {**known, **told})
        response = Response(html, status_code=status, media_type=MediaType.HTML)
        if self.new_forms and not self.person:
            set_cookie(response, Kept.FORMS, self.new_forms, self.settings)
        return response

    def stripe_page(self, template: str, status: int = 200, **told: Any) -> Response[str]:
        """Answer with a page that Stripe's script and its frames may be part of."""
        self.request.state.with_stripe = True
        keys = {
            "stripe_js": self.settings.stripe_js_url,
            "key": self.settings.stripe_publishable_key,
        }
        return self.page(template, status, **keys, **told)

    def refusable(self, template: str, refusal: AppError | None, **told: Any) -> Response[str]:
        """Answer with a page with a form, and with what was wrong in the one that was sent."""
        status = refusal.status_code if refusal else 200
        response = self.page(template, status, refusal=refusal, **told)
        if isinstance(refusal, TooManyAttempts):
            response.headers["Retry-After"] = str(refusal.seconds)
        return response

    def go(self, onward: str) -> Response[str]:
        """Answer with a way on, which the browser takes with GET."""
        return Response("", status_code=303, headers={"Location": onward})

    def let_in(self, token: str, browser: Browser, onward: str) -> Response[str]:
        """Go on as somebody who has signed in."""
        response = self.go(onward)
        set_cookie(response, Kept.SESSION, token, self.settings)
        set_cookie(response, Kept.DEVICE, browser.device, self.settings)
        return response

    def let_out(self, onward: str) -> Response[str]:
        response = self.go(onward)
        drop_cookie(response, Kept.SESSION, self.settings)
        return response


class Form:
    """The fields of a form that was sent from a page of this session."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.fields = fields

    def text(self, name: str, *, longest: int = LONGEST_FIELD) -> str:
        """Give a field's text without the space around it; empty when it is missing."""
        return self.raw(name)[:longest].strip()

    def several(self, name: str) -> list[str]:
        """Give every value of a field that can have several, such as ticked boxes."""
        given = self.fields.getall(name, []) if isinstance(self.fields, FormMultiDict) else []
        return [value[:LONGEST_FIELD] for value in given if isinstance(value, str)]

    def raw(self, name: str) -> str:
        """Give a field exactly as it was typed, as a password must be."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""


ForVisit = NamedDependency[SkipValidation[Visit]]
ForPerson = NamedDependency[SkipValidation[CustomerSignedIn]]
ForCustomer = NamedDependency[UUID]
ForForm = NamedDependency[SkipValidation[Form]]


async def provide_visit(request: Request[Any, Any, Any]) -> Visit:
    """Look who asks. Raises DatabaseAway."""
    parts: Parts = request.app.state.parts
    if request.app.state.watch.has(Trouble.DATABASE):
        raise DatabaseAway("We cannot look anything up at the moment.")
    token = request.cookies.get(name_of(Kept.SESSION, parts.settings), "")
    now = datetime.now(UTC)
    person = await current(parts.sessions, token, now) if token else None
    return Visit(request, parts, person)


async def provide_person(visit: ForVisit) -> CustomerSignedIn:
    """Give who is signed in. Raises SignInNeeded for a stranger."""
    if visit.person is None:
        raise SignInNeeded("Sign in first.")
    return visit.person


async def provide_customer_id(person: ForPerson) -> UUID:
    """Give whose pages these are. Raises SignInNeeded and CustomerNeeded."""
    if person.customer_id is None:
        raise CustomerNeeded("Tell us who you are first.")
    return person.customer_id


async def provide_form(visit: ForVisit) -> Form:
    """Give the form that was sent. Raises StaleForm when it is not one of this session's."""
    form = Form(await visit.request.form())
    if not hmac.compare_digest(form.raw(FORM_TOKEN).encode(), visit.form_token.encode()):
        raise StaleForm(
            "This form is from before you signed in or out. Go back, reload the page,"
            " and send it again."
        )
    return form


def sign_in_and_back(request: Request[Any, Any, Any]) -> str:
    """Where to sign in, remembering the page that was asked for when it can be asked for again."""
    url = request.url
    wanted = url.path + (f"?{url.query}" if url.query else "")
    if request.method != "GET" or wanted == DASHBOARD:
        return SIGN_IN
    return f"{SIGN_IN}?next={quote(wanted)}"


def inside(onward: str | None) -> str:
    """Give the page to go on to: one of ours, whatever the address said."""
    parted = urlsplit(onward or "")
    path = parted.path
    ours = path.startswith("/") and not path.startswith(("//", "/sign-", "/admin", "/mailbox"))
    if not ours or parted.scheme or parted.netloc or "\\" in path or not path.isprintable():
        return DASHBOARD
    return path + (f"?{parted.query}" if parted.query else "")
