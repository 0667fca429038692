"""The linked cards: in which order they are tried, how they do, and taking one out."""

from collections.abc import Mapping
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath

from app.domain.funding.health import Health, health_of
from app.domain.funding.models import FundingSource
from app.domain.funding.ordering import (
    SourceNeeded,
    Way,
    carried_by,
    in_order,
    remove_source,
    reorder,
)
from app.domain.funding.sources import own_source
from app.domain.issuing.debt_stops import stop_of
from app.domain.issuing.lookups import merchants_of
from app.domain.issuing.owing import dues_of
from app.domain.issuing.own_cards import all_cards
from app.domain.issuing.states import CardState
from app.portal.visits import ForCustomer, ForForm, ForVisit, Visit

FUNDING = "/funding"


class Words(msgspec.Struct, frozen=True):
    """How a linked card does, and what to do about it."""

    short: str
    advice: str = ""


HEALTH: Mapping[Health, Words] = {
    Health.GOOD: Words("ready"),
    Health.EXPIRES_SOON: Words(
        "expires soon",
        "Link the new card when your bank has sent it. Many banks renew by themselves.",
    ),
    Health.DECLINING: Words(
        "declined last time",
        "Its bank said no when it was last charged. Ask your bank, or use another card first.",
    ),
    Health.CONFIRM: Words(
        "your bank wants to ask you",
        "Purchases are charged without you there, and it refuses that until you confirm the card.",
    ),
    Health.LINK_AGAIN: Words(
        "cannot be charged", "Its bank refuses it as it is. Link it again, or link another card."
    ),
    Health.EXPIRED: Words("expired", "Link the card that took its place."),
}
NOTES = {
    "linked": "Your card is linked.",
    "confirmed": "Your bank has confirmed the card. What was refused for it can be tried again.",
    "paid": "It is paid. Thank you.",
    "order": "The order is changed.",
    "removed": "The card is removed.",
}


@get(FUNDING, include_in_schema=False)
async def show_funding(visit: ForVisit, customer_id: ForCustomer) -> Response[str]:
    now = visit.parts.clock.now()
    async with visit.parts.sessions() as session:
        sources = await in_order(session, customer_id)
        health = await health_of(session, sources, now)
        dues = await dues_of(session, customer_id, now)
        stop = await stop_of(session, customer_id, visit.settings.debt_allowed, now)
        merchants = await merchants_of(session, [due.debt.purchase_id for due in dues.each])
    tries = [due.debt.next_attempt_at for due in dues.payable if due.debt.next_attempt_at]
    return visit.page(
        "funding.html",
        sources=sources,
        health={one.id: HEALTH[health[one.id]] for one in sources},
        confirms={one.id for one in sources if health[one.id] is Health.CONFIRM},
        dues=dues,
        stop=stop,
        lines=[(due, merchants[due.debt.purchase_id]) for due in dues.each],
        tried_at=min(tries, default=None),
        done=NOTES.get(visit.request.query_params.get("done", ""), ""),
    )


@post(FUNDING + "/{source_id:uuid}/order", include_in_schema=False)
async def send_order(
    visit: ForVisit, customer_id: ForCustomer, form: ForForm, source_id: FromPath[UUID]
) -> Response[str]:
    """Move a card in the order; a way that is none changes nothing."""
    given = form.text("way")
    if given in list(Way):
        await reorder(visit.parts.sessions, customer_id, source_id, Way(given), visit.actor)
    return visit.go(f"{FUNDING}?done=order")


@get(FUNDING + "/{source_id:uuid}/remove", include_in_schema=False)
async def show_removal(
    visit: ForVisit, customer_id: ForCustomer, source_id: FromPath[UUID]
) -> Response[str]:
    return await _removal(visit, customer_id, source_id)


@post(FUNDING + "/{source_id:uuid}/remove", include_in_schema=False)
async def send_removal(
    visit: ForVisit,
    customer_id: ForCustomer,
    form: ForForm,  # noqa: ARG001
    source_id: FromPath[UUID],
) -> Response[str]:
    parts = visit.parts
    try:
        await remove_source(
            parts.sessions, customer_id, source_id, actor=visit.actor, now=parts.clock.now()
        )
    except SourceNeeded as refusal:
        return await _removal(visit, customer_id, source_id, str(refusal), refusal.status_code)
    return visit.go(f"{FUNDING}?done=removed")


async def _removal(
    visit: Visit, customer_id: UUID, source_id: UUID, problem: str = "", status: int = 200
) -> Response[str]:
    """Ask before a card is removed, and name what depends on it."""
    now = visit.parts.clock.now()
    async with visit.parts.sessions() as session:
        source = await own_source(session, customer_id, source_id)
        carried = await carried_by(session, source, now)
        dues = await dues_of(session, customer_id, now)
        cards = await all_cards(session, customer_id)
        others: list[FundingSource] = [
            one for one in await in_order(session, customer_id) if one.id != source.id
        ]
    return visit.page(
        "funding_remove.html",
        status,
        source=source,
        carried=carried,
        open_minor=dues.open_minor,
        others=others,
        cards=[card for card in cards if card.state is not CardState.CLOSED],
        problem=problem,
    )


FUNDING_PAGES = (show_funding, send_order, show_removal, send_removal)
