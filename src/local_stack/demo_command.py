"""`proxycard demo-data`: more customers for the demo, and more days on which they shop."""

from datetime import datetime, timedelta

import click
from sqlalchemy import func, select

from app.cli_parts import with_parts
from app.domain.identity.models import Customer
from app.errors import AppError
from app.parts import Parts
from local_stack.demo_data import make_people
from local_stack.story import PER_DAY, Chapter, play
from local_stack.story_stage import Stage

MOST_CUSTOMERS, MOST_DAYS = 500, 365
_OTHERS = 2000
"""Their numbers begin here, so that nobody of the first story is made again."""


class MoneyIsReal(AppError, status=409):
    """Demo data is made at the offline Stripe only."""


@click.command("demo-data")
@click.option("--customers", type=click.IntRange(1, MOST_CUSTOMERS), default=10, show_default=True)
@click.option("--days", type=click.IntRange(1, MOST_DAYS), default=7, show_default=True)
def demo_data(customers: int, days: int) -> None:
    """Add CUSTOMERS who shop for DAYS: time goes on by so much, for the offline Stripe and for us.

    Wants a running product on the offline Stripe.
    """

    async def work(parts: Parts) -> None:
        if not parts.settings.simulated:
            raise MoneyIsReal("Demo data wants the offline Stripe: nothing was made.")
        await make_more(parts, customers, days)

    with_parts(work)


async def make_more(parts: Parts, customers: int, days: int) -> None:
    """Add customers, and play so many days from the business's now on."""
    async with parts.sessions() as session:
        known = await session.scalar(select(func.count()).select_from(Customer)) or 0
    await make_people(parts)
    stage = Stage(parts, into_future=True)
    begin = stage.now
    chapter = Chapter(begin, begin + timedelta(days=days), customers, PER_DAY, _OTHERS + known)
    shown: list[str] = []

    def told(moment: datetime) -> None:
        day = f"{moment:%Y-%m-%d}"
        if day not in shown:
            shown.append(day)
            click.echo(f"It is {day}.")

    await play(stage, chapter.acts(), chapter.end, told)
    made = len(chapter.purchases())
    click.echo(f"{customers} customers have made {made} purchases in {days} days.")
