"""Pages made from templates, those that tell of a failure among them."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from sqladmin.templating import Jinja2Templates
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.admin.troubles import STATUS, WORDS
from app.db import is_gone
from app.errors import AppError
from app.watch import Told, Trouble, Watch

AGAIN_SECONDS = 3
TITLES: Mapping[int, str] = {
    400: "The address or the form cannot be read",
    403: "Not allowed",
    404: "Nothing is here",
    405: "Not possible here",
    409: "Not possible now",
    413: "Too large",
    422: "Something in the form is not right",
    500: "Something went wrong on our side",
}
_SENTENCES: Mapping[int, str] = {
    403: "Your roles do not allow this. An owner can change them.",
    404: "The page or the record does not exist, or no longer.",
    405: "A form is sent to this address; there is no page. Go back to the page of the form.",
    500: "Nothing was changed. The error is in the log, under the request id below.",
}


class Pages:
    """Renders the back office's templates."""

    def __init__(self, templates: Jinja2Templates) -> None:
        self.templates = templates

    async def render(
        self, request: Request, name: str, told: dict[str, Any], status_code: int = 200
    ) -> Response:
        return await self.templates.TemplateResponse(request, name, told, status_code)

    async def failure(self, request: Request, error: Exception) -> Response:
        """Tell of a refusal in its own words, and of anything else in none of its own."""
        if is_gone(error):
            return await self.no_database(request)
        status, sentence = _in_words(error)
        told = {
            "title": TITLES.get(status, "This did not work"),
            "sentence": sentence,
            "request_id": getattr(request.state, "request_id", ""),
            "signed_in": getattr(request.state, "staff", None) is not None,
        }
        return await self.render(request, "failure.html", told, status)

    async def no_database(self, request: Request) -> Response:
        """Say that there is no database, and nothing else; a page that was read looks again."""
        if request.url.path == STATUS:
            return await self.render(request, "pages/status.html", _status(request), 503)
        words = WORDS[Trouble.DATABASE]
        told = {
            "title": words.title,
            "means": words.means,
            "to_do": words.to_do,
            "again_seconds": AGAIN_SECONDS if request.method == "GET" else None,
        }
        return await self.render(request, "no_database.html", told, 503)


def _status(request: Request) -> dict[str, Any]:
    watch: Watch = request.state.watch
    zone = ZoneInfo(request.state.parts.settings.business_timezone)
    troubles = watch.troubles() or [Told(Trouble.DATABASE, None)]
    return {"troubles": troubles, "words_for": WORDS, "zone": zone}


def _in_words(error: Exception) -> tuple[int, str]:
    if isinstance(error, AppError):
        return error.status_code, str(error)
    if isinstance(error, HTTPException):
        # Starlette's own detail is only the status in words; ours is a sentence.
        said = error.detail if error.detail.endswith(".") else ""
        return error.status_code, said or _SENTENCES.get(error.status_code, "")
    return 500, _SENTENCES[500]
