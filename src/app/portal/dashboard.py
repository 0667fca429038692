"""The customer's home: the month, what is on hold, cards, the latest purchases, what to do."""

from collections.abc import Mapping

from litestar import Response, get

from app.domain.funding.sources import active_sources
from app.domain.issuing.attention import Attention, Matter, needing_attention
from app.domain.issuing.debt_stops import stop_of
from app.domain.issuing.overview import activity_of, cards_of, month_of, spent_by_day
from app.domain.issuing.owing import dues_of
from app.domain.issuing.states import CardState
from app.portal.chart import chart_of
from app.portal.signing_up import ONBOARDING
from app.portal.visits import DASHBOARD, ForPerson, ForVisit

LATEST, HOLDS, DAYS = 8, 50, 30
LONGEST_MONTH = 31
WAYS: Mapping[Matter, tuple[str, str]] = {
    Matter.REVIEW: (ONBOARDING, "How far it is"),
    Matter.DEBT: ("/funding", "Pay now"),
    Matter.LINK: ("/funding/link", "Link a card"),
    Matter.EXPIRED: ("/funding/link", "Link a card"),
    Matter.EXPIRING: ("/funding/link", "Link a card"),
    Matter.FIRST_CARD: ("/cards/new", "Open a card"),
}
"""Where each matter is seen to, and what the way there is called."""
OPEN, LINK = ("/cards/new", "Open a card"), ("/funding/link", "Link a card")
FREEZE = ("/cards", "Freeze a card")


@get(DASHBOARD, include_in_schema=False)
async def show_dashboard(visit: ForVisit, person: ForPerson) -> Response[str]:
    """Show the home; who is not a customer yet goes on with the steps."""
    customer_id = person.customer_id
    if customer_id is None:
        return visit.go(ONBOARDING)
    now = visit.parts.clock.now()
    async with visit.parts.sessions() as session:
        activity = await activity_of(session, customer_id, latest=LATEST, held=HOLDS)
        cards = await cards_of(session, customer_id)
        sources = await active_sources(session, customer_id)
        dues = await dues_of(session, customer_id, now)
        stop = await stop_of(session, customer_id, visit.settings.debt_allowed, now)
        days = await spent_by_day(session, customer_id, now, LONGEST_MONTH)
    matters = needing_attention(
        person.state, now, sources=sources, cards=cards, dues=dues, stop=stop, lines=activity.latest
    )
    return visit.page(
        "dashboard.html",
        month=month_of(days),
        held_minor=activity.held_minor,
        held=activity.held,
        cards=cards,
        active=sum(card.state is CardState.ACTIVE for card in cards),
        lines=activity.latest,
        sources=sources,
        matters=[(matter, *_way(matter)) for matter in matters],
        chart=chart_of(days[-DAYS:]),
        quick=_quick(has_sources=bool(sources), has_cards=bool(cards)),
    )


def _quick(*, has_sources: bool, has_cards: bool) -> list[tuple[str, str]]:
    """Give what is done most, the likeliest next thing first, and nothing that cannot be done."""
    first = [OPEN, LINK] if has_sources else [LINK, OPEN]
    return [*first, FREEZE] if has_cards else first


def _way(attention: Attention) -> tuple[str, str]:
    if attention.matter is Matter.DECLINED:
        return f"/purchases/{attention.subject_id}", "See why, and what to do"
    return WAYS.get(attention.matter, ("", ""))
