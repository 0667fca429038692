"""The kept sums of traffic: always what the rows add up to, whatever changes afterwards."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.domain.issuing import decline_figures, traffic
from app.domain.issuing.reports import Answers, Span
from app.domain.issuing.traffic import Traffic, Unit
from tests.product import Product
from tests.situations import helper, holder, pay

ZONE = ZoneInfo("America/New_York")
NO_FUNDS = "pm_card_visa_chargeDeclinedInsufficientFunds"
DAYS_AGO = "now() - interval '3 days'"
KEPT = "SELECT 1 FROM traffic WHERE approved + declined + overruled > 0"
OLDER = f"""
UPDATE authorization_request SET requested_at = {DAYS_AGO};
UPDATE card_transaction SET occurred_at = {DAYS_AGO};
"""  # noqa: S608  texts of ours, here and below
OVERRULED = "UPDATE authorization_request SET stripe_approved = false WHERE amount_minor = 1000"
GIVEN_BACK = f"""
INSERT INTO card_transaction (
    id, stripe_transaction_id, kind, occurred_at, amount_minor, currency, merchant_name, fee_minor)
VALUES (gen_random_uuid(), 'ipi_late', 'refund', {DAYS_AGO}, 400, 'usd', 'Blue Bottle', 0)
"""  # noqa: S608


class Told:
    """What the homes of a time are made of."""

    def __init__(self, hours: list[Traffic], declines: list[object]) -> None:
        self.answers = traffic.answers(hours)
        self.moved = traffic.moved(hours)
        self.rest = (hours, declines)


async def told(product: Product) -> Told:
    """Read ten days."""
    today = datetime.now(UTC).astimezone(ZONE).date()
    days = (today - timedelta(days=9), today + timedelta(days=1))
    span = Span(*(datetime.combine(day, time(), ZONE) for day in days))
    async with product.parts.sessions() as session:
        hours = await traffic.traffic(session, span, ZONE, Unit.HOUR)
        found = [
            await decline_figures.tally(session, span, 8),
            await decline_figures.by_bank(session, span, 8),
        ]
    return Told(hours, found)


async def test_kept_sums_are_always_those_of_the_rows(product: Product) -> None:
    assert await traffic.keep(product.parts.sessions) == 0  # before anything was asked
    ada = await holder(product, purchase_limit_minor=100_00)
    bob = await holder(product, email="bob@example.com", sources=(NO_FUNDS,))
    bought = await pay(product, ada.card, 1999)
    await helper(product, bought["id"], "capture")
    await pay(product, ada.card, 1000)
    await pay(product, ada.card, 250_00, "Hotel")
    await pay(product, bob.card, 20_00, "Shoe Shop")
    await product.settled()
    sessions = product.parts.sessions

    await traffic.keep(sessions)
    assert not await product.rows(KEPT)  # a quarter of today may still change
    await product.as_owner(OLDER)
    counted = await told(product)
    assert counted.answers == Answers(2, 0, 2)
    assert (counted.moved.captured_minor, counted.moved.captures) == (1999, 1)

    assert await traffic.keep(sessions) > 0
    assert await product.rows(KEPT)
    assert (await told(product)).rest == counted.rest

    for late, answers, given_back in (
        (OVERRULED, Answers(1, 1, 2), 0),
        (GIVEN_BACK, Answers(1, 1, 2), 400),
    ):
        await product.as_owner(late)
        assert not await product.rows(KEPT)
        changed = await told(product)
        assert changed.answers == answers
        assert changed.moved.given_back_minor == given_back
        assert await traffic.keep(sessions) == 1
        assert await product.rows(KEPT)
        assert (await told(product)).rest == changed.rest
