"""What a rule has said since a moment, from the records of the decisions that it looked at."""

from datetime import datetime

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.issuing.backtest import EXAMPLES, Changed, Example
from app.domain.issuing.decision import LET_PASS, PASSED, REFUSED, WOULD_REFUSE
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.rules import Rule

# Whole records are read only where the rule's id is in them.
_SAID = """
  FROM authorization_request AS request
  JOIN flight_record AS record ON record.request_id = request.id
  JOIN card_authorization AS purchase ON purchase.id = request.authorization_id
 CROSS JOIN LATERAL json_array_elements(record.verdicts) AS said
 WHERE request.requested_at >= :since AND strpos(record.verdicts::text, :rule) > 0
   AND said->>'rule' = :rule
"""
_APPROVED = "request.state = 'approved' AND request.stripe_approved IS NOT false"
COUNTS = f"""
SELECT said->>'verdict' AS verdict, {_APPROVED} AS approved, count(*),
       coalesce(sum(request.approved_minor), 0)::bigint, sum(request.fee_minor)::bigint
{_SAID} GROUP BY 1, 2
"""
LATEST = f"""
SELECT request.requested_at, purchase.stripe_authorization_id, purchase.merchant_name,
       coalesce(request.approved_minor, 0), said->>'reason'
{_SAID} AND said->>'verdict' = :verdict AND {_APPROVED}
 ORDER BY request.requested_at DESC, request.id DESC LIMIT {EXAMPLES}
"""


class Report(msgspec.Struct):
    """How often a rule said what. Amounts are of what was approved, in minor units."""

    looked_at: int = 0
    passed: int = 0
    # In force, and let pass by a person's word.
    refused: int = 0
    let_pass: int = 0
    # In shadow: of what was approved, and of what was declined anyway.
    would_refuse: Changed = msgspec.field(default_factory=Changed)
    declined_anyway: int = 0
    # The latest that it would have refused and that was approved, newest first.
    examples: list[Example] = []


async def report_on(session: AsyncSession, rule: Rule, since: datetime) -> Report:
    """Count what a rule said about the requests since a moment."""
    told = Report()
    named = {"rule": str(rule.id), "since": since}
    for verdict, approved, count, amount, fee in await session.execute(text(COUNTS), named):
        told.looked_at += count
        match verdict, approved:
            case (verdict, True) if verdict == WOULD_REFUSE:
                told.would_refuse = Changed(count, amount, fee)
            case (verdict, _) if verdict == WOULD_REFUSE:
                told.declined_anyway += count
            case (verdict, _) if verdict == REFUSED:
                told.refused += count
            case (verdict, _) if verdict == LET_PASS:
                told.let_pass += count
            case (verdict, _) if verdict == PASSED:
                told.passed += count
    latest = await session.execute(text(LATEST), named | {"verdict": WOULD_REFUSE})
    told.examples = [
        Example(at, name, merchant, amount, DeclineReason(reason))
        for at, name, merchant, amount, reason in latest
    ]
    return told
