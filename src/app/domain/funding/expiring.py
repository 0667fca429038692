"""Linked cards that are good for a few weeks only: their owners are told once, by letter."""

import calendar
from datetime import date, datetime, timedelta

from sqlalchemy import select, tuple_

from app.db import Sessions
from app.domain.funding.models import FundingSource
from app.domain.funding.states import FundingSourceState
from app.domain.identity.credential_models import Credential
from app.domain.mailing.models import MailKind
from app.domain.mailing.outbox import Letter, post_once

WARNED_BEFORE = timedelta(days=30)
AT_ONCE = 500


def last_day(source: FundingSource) -> date:
    """Give the last day a linked card is good: the last of the month that is printed on it."""
    days = calendar.monthrange(source.exp_year, source.exp_month)[1]
    return date(source.exp_year, source.exp_month, days)


async def write_expiring(sessions: Sessions, now: datetime) -> int:
    """Put a letter about each such card into the outbox; give how many were new."""
    ends = {(day.year, day.month) for day in (now.date(), now.date() + WARNED_BEFORE)}
    written, after = 0, None
    while True:
        async with sessions.begin() as session:
            query = (
                select(FundingSource, Credential)
                .join(Credential, Credential.customer_id == FundingSource.customer_id)
                .where(
                    FundingSource.state == FundingSourceState.ACTIVE,
                    tuple_(FundingSource.exp_year, FundingSource.exp_month).in_(ends),
                )
                .order_by(FundingSource.id)
                .limit(AT_ONCE)
            )
            found = await session.execute(query.where(FundingSource.id > after) if after else query)
            rows = list(found)
            for source, credential in rows:
                if MailKind.SOURCE_EXPIRING in credential.mail_off:
                    continue
                if now.date() <= last_day(source) <= now.date() + WARNED_BEFORE:
                    written += await post_once(
                        session,
                        credential.email,
                        _letter(source),
                        about=f"expiring:{source.id}",
                        credential_id=credential.id,
                    )
        if len(rows) < AT_ONCE:
            return written
        after = rows[-1][0].id


def _letter(source: FundingSource) -> Letter:
    brand = source.brand.replace("_", " ").title()
    return Letter(
        MailKind.SOURCE_EXPIRING,
        f"Your {brand} ending in {source.last4} expires soon",
        f"Your linked {brand} ending in {source.last4} is good until"
        f" {last_day(source):%-d %B %Y}. Purchases that it pays for are declined from then on.\n\n"
        "Link the new card that your bank has sent you:\n\n{site}/funding\n\nProxycard\n{site}/\n",
    )
