"""The monthly statement: what a month cost, and by card, kind and merchant where it went."""

from datetime import date

from litestar import Response, get

from app.days import is_known
from app.domain.issuing.owing import dues_of
from app.domain.issuing.statement import statement_of, unpaid_in
from app.portal.category_words import category
from app.portal.visits import ForCustomer, ForVisit

STATEMENTS = "/statements"


@get(STATEMENTS, include_in_schema=False)
async def show_statement(visit: ForVisit, customer_id: ForCustomer) -> Response[str]:
    """Show a month, `?month=2026-11`; what is none of the calendar is the month that runs."""
    now = visit.parts.clock.now()
    wanted = _month(visit.request.query_params.get("month", "")) or now.date()
    async with visit.parts.sessions() as session:
        statement = await statement_of(session, customer_id, wanted, now)
        dues = await dues_of(session, customer_id, now)
        unpaid_minor = await unpaid_in(session, statement, dues)
    return visit.page(
        "statement.html",
        statement=statement,
        unpaid_minor=unpaid_minor,
        running=statement.after is None,
        groups=(
            ("By card", statement.shares(lambda part: part.card)),
            ("By kind", statement.shares(lambda part: category(part.category))),
            ("By merchant", statement.shares(lambda part: part.merchant)),
        ),
    )


def _month(typed: str) -> date | None:
    try:
        found = date.fromisoformat(f"{typed}-01")
    except ValueError:
        return None
    return found if is_known(found) else None
