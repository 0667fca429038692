"""`/admin/`: each role's own home. Finance begins with profit, support with declines."""

from sqladmin import expose
from starlette.requests import Request
from starlette.responses import Response

from app.admin.pages.declines import told_of_declines
from app.admin.pages.office_page import OfficePage
from app.admin.pages.profit import told_of_profit
from app.admin.pages.standing import standing_of
from app.admin.permissions import allowed


class HomePage(OfficePage):
    """`/admin/`."""

    name = "Home"
    view = "home"

    @expose("/", methods=["GET"], identity="home")
    async def home(self, request: Request) -> Response:
        if allowed(request.state.staff, "profit"):
            told, status = await told_of_profit(request)
            return await self.show(request, "profit.html", told, status)
        told, status = await told_of_declines(request)
        return await self.show(request, "declines.html", told, status)

    @expose("/status", methods=["GET"], identity="status")
    async def status(self, request: Request) -> Response:
        """Give the strip, which an open home asks for again and again."""
        return await self.show(request, "status.html", standing_of(request))
