"""The purchases that lost money in a period, the worst first."""

from sqladmin import expose
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from starlette.requests import Request
from starlette.responses import Response

from app.admin.pages.office_page import OfficePage, parts_of, zone_of
from app.admin.pages.periods import UnreadablePeriod, last_days, periods, read_period
from app.admin.views.listing import CANCELED, LONGEST_QUERY, TOO_LONG
from app.domain.issuing.profit_losses import Losses, losses

SHOWN = 100
USUAL_DAYS = 7
UNREADABLE = UnreadablePeriod.status_code


class LossesPage(OfficePage):
    """`/admin/profit/losses`."""

    name = "Purchases that lost money"
    view = "profit"

    @expose("/profit/losses", methods=["GET"], identity="profit-losses")
    async def losses(self, request: Request) -> Response:
        zone = zone_of(request)
        today = parts_of(request).clock.now().astimezone(zone).date()
        period, problem = last_days(today, USUAL_DAYS), ""
        found = Losses([], 0, 0)
        try:
            period = read_period(request.query_params, period)
            async with parts_of(request).sessions() as session:
                await session.execute(text(f"SET LOCAL statement_timeout = '{LONGEST_QUERY}'"))
                found = await losses(session, *period.bounds(zone), SHOWN)
        except UnreadablePeriod as refusal:
            problem = str(refusal)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != CANCELED:
                raise
            problem = TOO_LONG
        told = {
            "found": found,
            "period": period,
            "periods": periods(today),
            "typed": request.query_params,
            "problem": problem,
        }
        return await self.show(request, "losses.html", told, UNREADABLE if problem else 200)
