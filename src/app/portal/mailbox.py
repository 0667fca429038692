"""The letters of a simulation, shown to whoever sits at the machine: no mail leaves it."""

from litestar import Response, get
from litestar.exceptions import NotFoundException

from app.domain.mailing.outbox import full_text, latest
from app.portal.visits import ForVisit
from app.requests import from_loopback

MOST = 50


@get("/mailbox", include_in_schema=False)
async def mailbox(visit: ForVisit) -> Response[str]:
    """Show the latest letters. With real cards, and to other machines, there is no such page."""
    if not visit.settings.simulated or not from_loopback(visit.request):
        raise NotFoundException
    async with visit.parts.sessions() as session:
        letters = await latest(session, MOST)
    site = visit.settings.app_url.rstrip("/")
    office = visit.settings.office_url.rstrip("/")
    shown = [(mail, full_text(mail, site, office).split("\n")) for mail in letters]
    return visit.page("mailbox.html", letters=shown, starts=(f"{site}/", f"{office}/"))
