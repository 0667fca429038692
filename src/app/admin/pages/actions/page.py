"""The page of an action: it tells, asks why, and does it once."""

from typing import Any
from uuid import UUID

from sqladmin import expose
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from uuid_utils.compat import uuid7

from app.admin.forms import check_csrf, text_field
from app.admin.pages.actions.act import Act, FieldProblem, Scene, Told
from app.admin.pages.actions.catalogue import ACTS
from app.admin.pages.office_page import OfficePage, parts_of, require, zone_of
from app.domain.identity.reasons import REASONS, read_reason
from app.domain.identity.submissions import SentBefore, once
from app.errors import AppError


class ActPage(OfficePage):
    """`/admin/act/{slug}/{key}`: every action of staff on a record."""

    name = "Action"
    view = "home"

    @expose("/act/{act}/{key}", methods=["GET", "POST"], identity="act")
    async def act(self, request: Request) -> Response:
        act = ACTS.get(request.path_params["act"])
        if act is None:
            raise HTTPException(404)
        require(request, act.view, act.action)
        if request.method == "GET":
            return await self._page(request, act)
        form = await check_csrf(request)
        if act.looks and text_field(form, "look"):
            return await self._page(request, act, form)
        try:
            return RedirectResponse(await self._do(request, act, form), status_code=303)
        except AppError as problem:
            return await self._page(request, act, form, problem)

    async def _do(self, request: Request, act: Act, form: FormData) -> str:
        """Do what the form asks for, once; give where to go on."""
        key = _key_in(form)
        why = read_reason(text_field(form, "reason"), text_field(form, "note"), act.reasons)
        if text_field(form, "sure") != "yes":
            raise FieldProblem("sure: tick this to say that you mean it.")
        try:
            async with parts_of(request).sessions.begin() as session:
                await once(session, key, act.slug, by=request.state.actor)
                done = await act.do(_scene(request, session, form), form, why)
        except SentBefore:
            async with parts_of(request).sessions() as session:
                return (await act.look(_scene(request, session, form))).onward
        if done.afterwards is not None:
            await done.afterwards()
        if done.asked:
            return done.onward
        return f"{done.onward}{'&' if '?' in done.onward else '?'}did={act.slug}"

    async def _page(
        self,
        request: Request,
        act: Act,
        typed: FormData | None = None,
        problem: AppError | None = None,
    ) -> Response:
        """Show what will happen, with all that was typed; what is wrong stands at its field."""
        form = typed or FormData(request.query_params)
        async with parts_of(request).sessions() as session:
            told = await act.look(_scene(request, session, form))
        at, said = _placed(told, problem)
        shown: dict[str, Any] = {
            "act": act,
            "told": told,
            "reasons": {code: REASONS[code] for code in act.reasons},
            "typed": {name: text_field(form, name) for name in form},
            "checked": {field.name: _checked(field.name, form, typed) for field in told.fields},
            "once": text_field(form, "once") or str(uuid7()),
            "problem": said if problem and not at else "",
            "at": at,
            "said": said,
        }
        return await self.show(request, "act.html", shown, problem.status_code if problem else 200)


def _scene(request: Request, session: AsyncSession, typed: FormData) -> Scene:
    parts = parts_of(request)
    state, key = request.state, request.path_params["key"]
    now = parts.clock.now()
    return Scene(parts, session, state.staff, state.actor, key, zone_of(request), now, typed)


def _key_in(form: FormData) -> UUID:
    try:
        return UUID(text_field(form, "once"))
    except ValueError:
        raise HTTPException(400, "This form has no key. Open the page again.") from None


def _placed(told: Told, problem: AppError | None) -> tuple[str, str]:
    """Give the field that a problem is about, if it names one, and what is to be said there."""
    field, _, said = str(problem or "").partition(": ")
    names = {"reason", "note", "sure", *(one.name for one in told.fields)}
    if said and field.lower() in names:
        return field.lower(), said[0].upper() + said[1:]
    return "", str(problem or "")


def _checked(name: str, form: FormData, typed: FormData | None) -> list[str] | None:
    """Give what is ticked; None where nothing was typed yet."""
    return None if typed is None else [one for one in form.getlist(name) if isinstance(one, str)]
