"""The jobs behind what staff do: the trail is sealed, and what nobody approved expires."""

from datetime import UTC, datetime

from app.db import Sessions
from app.domain.identity.approvals import expire_old
from app.domain.identity.audit_sealing import TRAIL


async def seal_trail(sessions: Sessions) -> str:
    """Seal the trail's new entries; say how many, and the last hash, to be kept elsewhere."""
    done = await TRAIL.seal(sessions)
    return f"{done.rows} entries sealed, the last hash is {done.last_hash}"


async def expire(sessions: Sessions) -> str:
    """End the requests for approval that nobody decided within a day."""
    async with sessions.begin() as session:
        ended = await expire_old(session, datetime.now(UTC))
    return f"{ended} requests for approval expired"
