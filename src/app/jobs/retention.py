"""Let go of what nobody needs any more: what Stripe sent word for word, who tried to sign in."""

from datetime import datetime, timedelta

from sqlalchemy import CursorResult, text

from app.db import Sessions

PAYLOADS_FOR = timedelta(days=90)
"""Three times as long as Stripe itself shows an event: https://docs.stripe.com/api/events."""
TRACES_FOR = timedelta(days=30)
AT_ONCE = 5_000

# Events that failed keep theirs: a person still has to look at them.
_EMPTY_PAYLOADS = """
UPDATE inbound_event SET payload = '{}' WHERE id IN (
    SELECT id FROM inbound_event
     WHERE created_at >= :since AND created_at < :before
       AND state IN ('done', 'ignored') AND payload <> '{}'
     LIMIT :at_once)
"""
_OLD = {
    "payloads": _EMPTY_PAYLOADS,
    "sign-in failures": """
DELETE FROM sign_in_failure WHERE id IN (
    SELECT id FROM sign_in_failure WHERE created_at < :before LIMIT :at_once)
""",
    "sessions": """
DELETE FROM staff_session WHERE id IN (
    SELECT id FROM staff_session
     WHERE coalesce(ended_at, expires_at) < :before LIMIT :at_once)
""",
    "log lines of the queue": """
DELETE FROM pgqueuer_log WHERE id IN (
    SELECT id FROM pgqueuer_log WHERE created < :before LIMIT :at_once)
""",
}
"""By what they are about, statements that let go of some at once."""


async def retain(sessions: Sessions, since: datetime, now: datetime) -> str:
    """Let go of what is too old; give how much, in words. Both times are real.

    `since`: payloads of events that were old enough before it have been emptied already.
    """
    told = []
    for what, statement in _OLD.items():
        days = PAYLOADS_FOR if what == "payloads" else TRACES_FOR
        values = {"before": now - days, "at_once": AT_ONCE}
        if what == "payloads":
            values["since"] = since - PAYLOADS_FOR
        told.append(f"{await _repeat(sessions, statement, values)} {what}")
    return f"let go of {', '.join(told)}"


async def _repeat(sessions: Sessions, statement: str, values: dict[str, object]) -> int:
    """Run a statement, a part in each transaction, until nothing is left for it."""
    total = 0
    while True:
        async with sessions.begin() as session:
            done = await session.execute(text(statement), values)
            assert isinstance(done, CursorResult)
            total += done.rowcount
            if done.rowcount < AT_ONCE:
                return total
