"""What keeps open pages up to date: server-sent events, and the same by asking again and again.

An event says only that something has changed; the page then asks for what it shows, as the person
who is signed in. Source: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from litestar import Response, get
from litestar.response import Stream

from app.domain.identity.customer_sessions import current
from app.domain.issuing.overview import latest_of
from app.live import Listener
from app.portal.rendering import amount
from app.portal.visits import ForCustomer, ForVisit, Visit

LIVE, NEWEST = "/live", "/live/newest"
MOST_OF_A_CUSTOMER = 8
MOST_OF_ALL = 2_000
"""Open pages that one process keeps connected; the ones beyond ask again and again instead."""
CHECKED_EVERY_SECONDS = 15
LASTS_SECONDS = 600
AT_MOST_EVERY_SECONDS = 0.2
LATEST = 5
CONNECT_AGAIN_MS = 1_000
CHANGED, OVER = "event: changed\ndata:\n\n", "event: over\ndata:\n\n"


@get(LIVE, include_in_schema=False)
async def live(visit: ForVisit, customer_id: ForCustomer) -> Stream | Response[None]:
    """Say whenever something has changed. With too many pages open: 204, and the page asks."""
    listener: Listener = visit.request.app.state.listener
    if (
        listener.open_pages(customer_id) >= MOST_OF_A_CUSTOMER
        or listener.all_pages >= MOST_OF_ALL
        or listener.closed
    ):
        return Response(None, status_code=204)
    # Nothing between us and the browser may keep the events back.
    headers = {"X-Accel-Buffering": "no"}
    events = _events(visit, listener, customer_id)
    return Stream(events, media_type="text/event-stream", headers=headers)


@get(NEWEST, include_in_schema=False)
async def newest(visit: ForVisit, customer_id: ForCustomer) -> dict[str, Any]:
    """Give the newest purchase in a sentence, and how it stands."""
    async with visit.parts.sessions() as session:
        lines = await latest_of(session, customer_id, LATEST)
    if not lines:
        return {"id": None}
    # Of the latest by Stripe's clock, which tells seconds, the one that came to us last.
    line = max(lines, key=lambda one: one.purchase.created_at)
    return {
        "id": str(line.purchase.id),
        "status": line.status,
        "sentence": f"{line.merchant}, {amount(line.amount_minor)}: {line.status}",
        "href": f"/purchases/{line.purchase.id}",
    }


async def _events(visit: Visit, listener: Listener, customer_id: UUID) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    ends = loop.time() + LASTS_SECONDS
    async with listener.page(customer_id) as changed:
        yield f"retry: {CONNECT_AGAIN_MS}\n\n"
        while loop.time() < ends:
            heard = await _set_within(changed, CHECKED_EVERY_SECONDS)
            if listener.closed:
                return
            if not await _still_signed_in(visit):
                yield OVER
                return
            if not heard:
                yield ": still here\n\n"
                continue
            changed.clear()
            yield CHANGED
            await asyncio.sleep(AT_MOST_EVERY_SECONDS)


async def _set_within(changed: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await changed.wait()
    except TimeoutError:
        return False


async def _still_signed_in(visit: Visit) -> bool:
    """Ask anew: a page that was left open shows nothing after the session has ended."""
    now = datetime.now(UTC)
    return await current(visit.parts.sessions, visit.session_token, now, seen=False) is not None


LIVE_PAGES = (live, newest)
