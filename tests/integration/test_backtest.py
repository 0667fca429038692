"""What a draft would have changed: recorded requests decided again, in order."""

from datetime import timedelta
from typing import Any

from uuid_utils.compat import uuid7

from app.domain.issuing.backtest import READ_AT_ONCE, Outcome, backtest, count_requests
from app.domain.issuing.facts import Scope
from app.domain.issuing.rule_lines import backtest_lines, progress_line
from app.domain.issuing.rules import (
    ClosedCountries,
    Condition,
    NewCustomer,
    RiskScore,
    Rule,
    RuleMode,
    Stop,
    StopTarget,
    Velocity,
)
from tests.controls import command, later
from tests.product import Product
from tests.situations import helper, holder, pay

FUEL = {"is_amount_controllable": "true", "merchant_data[category]": "automated_fuel_dispensers"}


async def tried(product: Product, condition: Condition, **back: int) -> Outcome:
    """Try a draft on what was recorded since so long ago; a day if not told."""
    now = product.parts.clock.now()
    draft = Rule(uuid7(), RuleMode.SHADOW, now, None, condition)
    since = now - timedelta(**(back or {"days": 1}))
    seen: list[int] = []
    async with product.parts.sessions() as session:
        count = await count_requests(session, since)
        outcome = await backtest(session, draft, since, seen.append)
    assert outcome.looked_at == count
    assert seen == sorted(seen)
    return outcome


def refused(outcome: Outcome) -> dict[str, tuple[int, int, int]]:
    return {
        reason.value: (one.count, one.amount_minor, one.fee_minor)
        for reason, one in outcome.refused.items()
    }


async def test_a_draft_counts_what_it_would_have_refused_of_what_was_approved(
    product: Product,
) -> None:
    ada = await holder(product)
    abroad = {"merchant_data[country]": "FR"}
    bought = [await pay(product, ada.card, 1999, **more) for more in (abroad, {}, abroad)]
    gambling = {"merchant_data[category]": "betting_casino_gambling"}
    await pay(product, ada.card, 1999, **abroad, **gambling)

    outcome = await tried(product, ClosedCountries(["FR"]))

    assert (outcome.looked_at, outcome.approved, outcome.without_record) == (4, 3, 0)
    assert refused(outcome) == {"country_closed": (2, 3998, 300)}
    examples = [(one.authorization, one.approved_minor) for one in outcome.examples]
    assert examples == [(bought[0]["id"], 1999), (bought[2]["id"], 1999)]
    assert refused(await tried(product, ClosedCountries(["DE"]))) == {}


async def test_what_would_have_been_refused_does_not_count_afterwards(product: Product) -> None:
    ada = await holder(product)
    for minutes in (0, 40, 40):
        await later(product, minutes=minutes)
        assert (await pay(product, ada.card, 1999))["approved"] is True

    # The third is within an hour of the second only, which would not have happened.
    often = await tried(product, Velocity(Scope.CARD, 60, purchases=1))
    much = await tried(product, Velocity(Scope.CARD, 60, amount_minor=3997))

    assert refused(often) == {"card_too_often": (1, 1999, 150)}
    assert refused(much) == {"card_too_much": (1, 1999, 150)}


async def test_windows_that_were_counted_then_and_those_that_were_not_agree(
    product: Product,
) -> None:
    ada = await holder(product, cards=2)
    for number in range(6):
        await pay(product, ada.cards[number % 2], 1999)

    counted = await tried(product, Velocity(Scope.CARD, 60, purchases=2))
    new = await tried(product, Velocity(Scope.CARD, 61, purchases=2))
    customer = await tried(product, NewCustomer(30, 6, 3998))

    assert refused(counted) == refused(new) == {"card_too_often": (2, 3998, 300)}
    assert refused(customer) == {"new_customer_limit": (4, 7996, 600)}


async def test_a_purchase_that_would_have_been_refused_could_not_have_grown(
    product: Product,
) -> None:
    ada = await holder(product)
    bought = await pay(product, ada.card, 1999)
    await helper(product, bought["id"], "increment", increment_amount=500)

    outcome = await tried(product, Velocity(Scope.CARD, 60, purchases=0))

    assert refused(outcome) == {"card_too_often": (2, 2499, 175)}


async def test_less_would_have_been_approved_where_the_merchant_takes_less(
    product: Product,
) -> None:
    ada = await holder(product)
    await pay(product, ada.card, 1999, **FUEL)

    outcome = await tried(product, Velocity(Scope.CARD, 60, amount_minor=1000))

    assert (outcome.lessened, refused(outcome)) == (1, {})


async def test_a_stop_of_linked_cards_moves_what_it_does_not_refuse(product: Product) -> None:
    ada = await holder(product, sources=("pm_card_visa", "pm_card_mastercard"))
    bob = await holder(product, email="bob@example.com")
    for one in (ada, bob):
        await pay(product, one.card, 1999)

    outcome = await tried(product, Stop(StopTarget.FUNDING, "visa/*/*"))

    assert outcome.moved == 1
    assert refused(outcome) == {"stopped_funding": (1, 1999, 150)}


async def test_what_stripe_approved_without_us_has_no_record_and_is_told_apart(
    product: Product,
) -> None:
    ada = await holder(product)
    await pay(product, ada.card, 1999)
    await product.as_owner("DELETE FROM flight_record")
    await pay(product, ada.card, 1999)

    outcome = await tried(product, RiskScore(at_least=0))

    assert (outcome.approved, outcome.without_record) == (2, 1)
    assert outcome.total.count == 1


async def test_only_the_days_asked_for_are_looked_at(product: Product) -> None:
    ada = await holder(product)
    await pay(product, ada.card, 1999)
    await later(product, hours=3)
    await pay(product, ada.card, 1999)

    assert (await tried(product, RiskScore(at_least=0), hours=2)).total.count == 1
    assert (await tried(product, RiskScore(at_least=0), hours=4)).total.count == 2


MANY = """
INSERT INTO authorization_request
SELECT (r).* FROM (
    SELECT json_populate_record(r, json_build_object(
        'id', gen_random_uuid(), 'ordinal', n, 'stripe_event_id', 'evt_copy_' || n)) AS r
      FROM authorization_request AS r, generate_series(1, :copies) AS n) AS copied;
INSERT INTO flight_record
SELECT r.id, f.facts, f.verdicts FROM authorization_request AS r, flight_record AS f
 WHERE r.stripe_event_id LIKE 'evt_copy_%'
"""


async def test_more_than_is_read_at_once_is_read_in_parts(product: Product) -> None:
    ada = await holder(product)
    await pay(product, ada.card, 1999)
    await product.settled()
    copies = READ_AT_ONCE * 2 + 7
    await product.as_owner(MANY.replace(":copies", str(copies)))

    outcome = await tried(product, RiskScore(at_least=0))

    assert outcome.total.count == copies + 1
    assert len(outcome.examples) == 5


async def test_the_command_prints_what_would_have_changed(product: Product) -> None:
    ada = await holder(product)
    bought = await pay(product, ada.card, 1999)

    code, said, complained = await command(product, "rules", "backtest", "risk_score", "at_least=9")

    assert (code, complained) == (0, "")
    assert "Over 30 days: 1 requests, 1 of them approved." in said
    assert "Approved -> declined: 1 (19.99 in all, our fee 1.50)" in said
    assert "the card network sees a high risk of fraud: 1 (19.99" in said
    assert f"{bought['id']} 19.99 at Blue Bottle" in said
    assert (await product.rows("SELECT id FROM decision_rule WHERE kind = 'stop'")) == []


def test_a_long_run_says_how_far_it_is() -> None:
    told: list[Any] = [progress_line(done, 12_000) for done in range(0, 12_001, READ_AT_ONCE)]

    assert [line for line in told[1:] if line] == [
        "5,000 of 12,000 requests",
        "10,000 of 12,000 requests",
    ]
    assert progress_line(200, 400) is None
    assert (
        list(backtest_lines(Outcome(), 30))[1]
        == "Approved -> declined: 0 (0.00 in all, our fee 0.00)"
    )
