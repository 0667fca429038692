"""What a customer sees when a page cannot be shown: what happened, a way on, the request's id."""

import secrets
from collections.abc import Mapping
from typing import Any

import structlog
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException
from uuid_utils.compat import uuid7

from app.db import is_gone
from app.domain.identity.customer_sessions import PasswordNeeded
from app.domain.identity.sign_in import TooManyAttempts
from app.errors import AppError
from app.portal.guard import policy
from app.portal.rendering import render
from app.portal.visits import CustomerNeeded, DatabaseAway, SignInNeeded, sign_in_and_back
from app.requests import strict_headers

log = structlog.get_logger()

TITLES: Mapping[int, str] = {
    400: "We cannot read this request",
    403: "Not allowed",
    404: "Nothing is here",
    405: "Not possible here",
    409: "Not possible now",
    410: "This link does not work any more",
    413: "Too large",
    429: "Too many tries",
    500: "Something went wrong on our side",
    503: "We will be back in a moment",
}
_SENTENCES: Mapping[int, str] = {
    404: "The page does not exist, or no longer, or is not yours.",
    405: "This address takes another kind of request.",
    413: "A form may hold 64 KiB, and this one holds more.",
    500: "Nothing was changed. If it happens again, write to us and name the request below.",
    503: "Our database does not answer. Nothing is lost; try again in a moment.",
}


def show_failure(request: Request[Any, Any, Any], error: Exception) -> Response[str]:
    """Tell of a refusal in its own words, and of anything else in none of its own."""
    if isinstance(error, SignInNeeded):
        return _go(sign_in_and_back(request))
    if isinstance(error, CustomerNeeded):
        return _go("/onboarding")
    if isinstance(error, PasswordNeeded):
        return _go("/password-again?next=/settings")
    status, sentence = _in_words(error)
    if status >= 500:  # noqa: PLR2004
        log.error("portal_failed", path=request.url.path[:200], exc_info=error)
    told = {
        "title": TITLES.get(status, "This did not work"),
        "sentence": sentence,
        "request_id": request.state.request_id,
        "status": status,
        "nonce": request.state.nonce,
        "person": None,
        "path": request.url.path,
        "simulated": False,
    }
    response = Response(render("failure.html", told), status_code=status, media_type=MediaType.HTML)
    if isinstance(error, TooManyAttempts):
        response.headers["Retry-After"] = str(error.seconds)
    return response


def show_not_found(request: Request[Any, Any, Any], error: Exception) -> Response[str]:
    """Tell that nothing is at an address, though no route takes it: `/cards/what-is-no-id`.

    What stands before every page has not run then, so that its part is done here.
    """
    if "nonce" in request.state:
        return show_failure(request, error)
    nonce = request.state.nonce = secrets.token_urlsafe(16)
    request.state.request_id = uuid7().hex
    page = show_failure(request, error)
    page.headers.update(strict_headers(https=request.app.state.settings.https))
    page.headers["Content-Security-Policy"] = policy(nonce)
    page.headers["Cache-Control"] = "no-store"
    page.headers["X-Request-Id"] = request.state.request_id
    return page


def _in_words(error: Exception) -> tuple[int, str]:
    if is_gone(error) or isinstance(error, DatabaseAway):
        return 503, _SENTENCES[503]
    if isinstance(error, AppError):
        return error.status_code, str(error)
    if isinstance(error, HTTPException):
        return error.status_code, _SENTENCES.get(error.status_code, "")
    return 500, _SENTENCES[500]


def _go(onward: str) -> Response[str]:
    return Response("", status_code=303, headers={"Location": onward})
