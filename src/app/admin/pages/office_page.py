"""What the back office's own pages share: who may see them, and how they are rendered."""

from datetime import timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from sqladmin import BaseView
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.admin.permissions import SEE, allowed
from app.parts import Parts


class OfficePage(BaseView):
    """A page of our own; `view` is its name in the table of permissions."""

    view: ClassVar[str]

    def is_visible(self, request: Request) -> bool:  # noqa: ARG002  the menu is our own
        return False

    def is_accessible(self, request: Request) -> bool:
        return allowed(request.state.staff, self.view, SEE)

    async def show(
        self, request: Request, template: str, told: dict[str, Any], status_code: int = 200
    ) -> Response:
        parts = parts_of(request)
        settings = parts.settings
        zone = zone_of(request)
        shared = {
            "settings": settings,
            "zone": zone,
            "now": parts.clock.now(),
            "clock_moved": parts.clock.offset > timedelta(minutes=1),
        }
        return await self.templates.TemplateResponse(
            request, f"pages/{template}", shared | told, status_code
        )


def parts_of(request: Request) -> Parts:
    parts: Parts = request.state.parts
    return parts


def zone_of(request: Request) -> ZoneInfo:
    return ZoneInfo(parts_of(request).settings.business_timezone)


def require(request: Request, view: str, action: str) -> None:
    """Raise 403 unless the member's roles grant the action."""
    if not allowed(request.state.staff, view, action):
        raise HTTPException(403)
