"""Do the books equal Stripe: the last looks, and what is different by kind and age."""

from datetime import UTC, datetime, timedelta

from sqladmin import expose
from starlette.requests import Request
from starlette.responses import Response

from app.admin.pages.office_page import OfficePage, parts_of
from app.domain.issuing.differences import latest_runs, open_by_kind

RUNS = 15


class ReconciliationPage(OfficePage):
    """`/admin/reconciliation`."""

    name = "Reconciliation"
    view = "reconciliation"

    @expose("/reconciliation", methods=["GET"], identity="reconciliation")
    async def reconciliation(self, request: Request) -> Response:
        now = datetime.now(UTC)
        day_ago, week_ago = now - timedelta(days=1), now - timedelta(days=7)
        async with parts_of(request).sessions() as session:
            runs = await latest_runs(session, RUNS)
            kinds = await open_by_kind(session, day_ago, week_ago)
        told = {"runs": runs, "kinds": kinds, "day": day_ago, "week": week_ago}
        return await self.show(request, "reconciliation.html", told)
