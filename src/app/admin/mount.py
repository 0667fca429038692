"""SQLAdmin is a Starlette program; this seats it inside Litestar at /admin."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from litestar import asgi
from sqladmin import Admin
from sqladmin.authorization import AuthorizationBackend
from sqladmin.templating import Jinja2Templates
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.admin.catalogue import MENU, PAGES, VIEWS, approvals_waiting, seen_views
from app.admin.forms import csrf_token
from app.admin.guard import Guard
from app.admin.noting import note_refusal
from app.admin.pages.actions.catalogue import acts_from, acts_on, what_was_done
from app.admin.permissions import allowed
from app.admin.rendering import Pages
from app.admin.sign_in import SignInPages, StaffSessions
from app.admin.views.names import name_of
from app.admin.wording import FILTERS
from app.db import Sessions, create_sessions
from app.errors import AppError
from app.parts import Parts
from app.watch import Watch

FOLDER = Path(__file__).parent
BASE = "/admin"
# SQLAdmin's routes that stay. The others (create, edit, delete, export, import, files) change or
# hand out rows behind the domain's back, and the sign-in pages are our own.
KEPT_ROUTES = frozenset({"statics", "list", "details"})
# What an ASGI program may rely on. Litestar's own keys (app, user, auth, …) would be taken for
# Starlette's.
ASGI_KEYS = (
    *("type", "asgi", "http_version", "method", "query_string", "root_path"),
    *("headers", "client", "server"),
)


class Roles(AuthorizationBackend):
    """Answers SQLAdmin's questions from the one table of permissions."""

    def has_permission(
        self,
        request: Request,
        identity: str,
        action: str,
        obj: Any | None = None,  # noqa: ARG002  rows of one list are seen by all or none
    ) -> bool:
        staff = getattr(request.state, "staff", None)
        return action in {"list", "details"} and staff is not None and allowed(staff, identity)


class BackOffice(Admin):
    """SQLAdmin with our sign-in, our templates and only the routes that read."""

    def __init__(self, host: Starlette, parts: Parts) -> None:
        backend = StaffSessions()
        super().__init__(
            host,
            session_maker=reading_sessions(parts),
            title="Proxycard",
            base_url=BASE,
            templates_dir=str(FOLDER / "templates"),
            authentication_backend=backend,
            authorization_backend=Roles(),
            static_files_kwargs={"directory": str(FOLDER / "static")},
        )
        self.pages = Pages(self.templates)
        routes = [r for r in self.admin.router.routes if getattr(r, "name", "") in KEPT_ROUTES]
        self.admin.router.routes = [*SignInPages(self.pages, backend).routes(), *routes]
        self.admin.exception_handlers = dict.fromkeys(
            (HTTPException, AppError, Exception), self.failure
        )
        for page in (*PAGES, *VIEWS):
            self.add_view(page)

    async def failure(self, request: Request, error: Exception) -> Response:
        """Tell of what failed, and the trail of what was refused."""
        await note_refusal(request, error)
        return await self.pages.failure(request, error)

    def init_templating_engine(self) -> Jinja2Templates:
        templates = super().init_templating_engine()
        templates.env.globals["csrf_token"] = csrf_token
        templates.env.globals["allowed"] = allowed
        templates.env.globals["menu"] = MENU
        templates.env.globals["seen_views"] = seen_views
        templates.env.globals["approvals_waiting"] = approvals_waiting
        templates.env.globals["acts_from"] = acts_from
        templates.env.globals["acts_on"] = acts_on
        templates.env.globals["what_was_done"] = what_was_done
        templates.env.filters.update(FILTERS)
        templates.env.filters["name_of"] = name_of
        return templates


def reading_sessions(parts: Parts) -> Sessions:
    """Give the lists sessions of their own, on the same connections, that the database lets read.

    SQLAdmin also changes the settings of the session maker it is given.
    """
    engine: AsyncEngine = parts.sessions.kw["bind"]
    return create_sessions(engine.execution_options(postgresql_readonly=True))


def create_back_office(parts: Parts, watch: Watch) -> ASGIApp:
    """Build the back office on a process's parts, and on what it has seen of them."""
    host = Starlette()
    admin = BackOffice(host, parts)
    guarded = Guard(host, admin.pages, watch, parts.settings.admin_host)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        scope["scheme"] = "https" if parts.settings.https else "http"
        scope["state"]["parts"], scope["state"]["watch"] = parts, watch
        await guarded(scope, receive, send)

    return serve


@asgi(BASE, is_mount=True, copy_scope=True, opt={"exclude_from_csrf": True})
async def back_office(scope: Any, receive: Any, send: Any) -> None:
    """Hand the request on as a plain ASGI one, with the path that the browser asked for.

    Litestar takes the mount point off the path and puts a slash on its end, and sends every path
    here that begins with the same letters.
    """
    path = unquote(scope["raw_path"].decode("latin-1").partition("?")[0])
    answer: Callable[..., Awaitable[None]]
    if path == BASE:
        answer = RedirectResponse(f"{BASE}/", status_code=308)
    elif not path.startswith(f"{BASE}/"):
        answer = PlainTextResponse("Not found.\n", status_code=404)
    else:
        answer = scope["app"].state.back_office
    plain = {key: scope[key] for key in ASGI_KEYS if key in scope}
    state = {"request_id": scope["state"].get("request_id", "")}
    await answer(
        {**plain, "path": path, "raw_path": scope["raw_path"], "state": state}, receive, send
    )
