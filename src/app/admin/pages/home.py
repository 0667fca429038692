"""The home: today's profit, answers and declines, what waits for a person, the latest purchases."""

from sqladmin import expose
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from app.admin.pages.office_page import OfficePage, parts_of, zone_of
from app.domain.issuing import reports
from app.domain.issuing.explanations import EXPLANATIONS
from app.webhooks.models import EventState, InboundEvent

RECENT = 12
SHOWN_WAITING = 5


class HomePage(OfficePage):
    """`/admin/`."""

    name = "Home"
    view = "home"

    @expose("/", methods=["GET"], identity="home")
    async def home(self, request: Request) -> Response:
        parts = parts_of(request)
        day = reports.business_day(parts.clock.now(), zone_of(request))
        async with parts.sessions() as session:
            told = {
                "day": day,
                "earned": await reports.earned(session, day),
                "expected": await reports.expected(session),
                "answers": await reports.answers(session, day),
                "declines": await reports.declines(session, day),
                "active_cards": await reports.active_cards(session),
                "not_handled": await reports.not_handled(session, SHOWN_WAITING),
                "unverified": await reports.unverified(session, SHOWN_WAITING),
                "failed_events": await _failed_events(session),
                "recent": await reports.recent_purchases(session, RECENT),
                "explanations": EXPLANATIONS,
            }
        return await self.show(request, "home.html", told)


async def _failed_events(session: AsyncSession) -> int:
    counted = select(func.count()).where(InboundEvent.state == EventState.FAILED)
    return await session.scalar(counted) or 0
