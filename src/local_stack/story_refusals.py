"""Purchases that are declined in the story's last week, one for each reason that can be played."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial

from app.domain.identity.audit import SYSTEM
from app.domain.issuing.decline_reasons import DeclineReason as Why
from app.domain.issuing.facts import Scope
from app.domain.issuing.rule_book import add_rule, end_rule
from app.domain.issuing.rule_reading import Draft
from app.domain.issuing.rules import (
    CardTesting,
    CategoryGroup,
    ClosedCategories,
    ClosedCountries,
    Condition,
    DeclineStreak,
    NewCustomer,
    RiskScore,
    RuleMode,
    Stop,
    StopTarget,
    Velocity,
)
from local_stack.demo_people import ASKS_HOLDER, EXPIRED, NO_FUNDS, VISA
from local_stack.story_people import IS_REFUSED
from local_stack.story_shops import ELECTRONICS
from local_stack.story_stage import Act, Dated, Stage

COFFEE = ("Blue Bottle", "fast_food_restaurants")
BANKS: Mapping[Why, str] = {
    Why.BANK_DECLINED: "pm_card_visa_chargeDeclined",
    Why.BANK_INSUFFICIENT_FUNDS: NO_FUNDS,
    Why.BANK_CARD_LOST_OR_STOLEN: "pm_card_visa_chargeDeclinedLostCard",
    Why.BANK_CARD_EXPIRED: EXPIRED,
    Why.BANK_INCORRECT_CVC: "pm_card_chargeDeclinedIncorrectCvc",
    Why.BANK_PROCESSING_ERROR: "pm_card_chargeDeclinedProcessingError",
    Why.BANK_VELOCITY: "pm_card_visa_chargeDeclinedVelocityLimitExceeded",
    Why.BANK_SUSPECTS_FRAUD: "pm_card_radarBlock",
    Why.BANK_AUTHENTICATION_REQUIRED: ASKS_HOLDER,
}
SHOPS: Mapping[Why, tuple[str, str, str]] = {
    Why.CASH_NOT_ALLOWED: ("Wells Fargo ATM", "automated_cash_disburse", "US"),
    Why.QUASI_CASH_NOT_ALLOWED: ("Western Union", "wires_money_orders", "US"),
    Why.GAMBLING_NOT_ALLOWED: ("Lucky Star", "betting_casino_gambling", "US"),
    Why.OWN_DESCRIPTOR: ("PROXYCARD", "computer_software_stores", "US"),
}
RULES: Mapping[Why, Condition] = {
    Why.STOPPED_ALL: Stop(StopTarget.ALL),
    Why.STOPPED_FUNDING: Stop(StopTarget.FUNDING, "visa/credit/*"),
    Why.BLOCKED_MERCHANT: Stop(StopTarget.MERCHANT, "blue bottle*"),
    Why.CATEGORY_CLOSED: ClosedCategories(CategoryGroup.OTHER, [ELECTRONICS]),
    Why.COUNTRY_CLOSED: ClosedCountries(["KP"]),
    Why.RISK_SCORE_TOO_HIGH: RiskScore(at_least=10),
    Why.CARD_TOO_OFTEN: Velocity(Scope.CARD, minutes=20_000, purchases=1),
    Why.CARD_TOO_MUCH: Velocity(Scope.CARD, minutes=20_000, amount_minor=100),
    Why.CUSTOMER_TOO_OFTEN: Velocity(Scope.CUSTOMER, minutes=20_000, purchases=1),
    Why.CUSTOMER_TOO_MUCH: Velocity(Scope.CUSTOMER, minutes=20_000, amount_minor=100),
    Why.NEW_CUSTOMER_LIMIT: NewCustomer(for_days=10_000, window_days=30, amount_minor=100),
    Why.TOO_MANY_DECLINES: DeclineStreak(minutes=20_000, declines=1),
    Why.SUSPECTED_CARD_TESTING: CardTesting(minutes=20_000, probes=1),
}
FAULTS: Mapping[Why, int] = {
    Why.FUNDING_RATE_LIMITED: 429,
    Why.FUNDING_REFUSED: 403,
    Why.FUNDING_UNKNOWN: 500,
}


def refusals(now: datetime) -> Iterator[Dated]:
    """Give tries of the last week, a few hours apart."""
    acts: list[Act] = [
        uses_it_a_little,
        *(partial(refused_by_bank, token=token) for token in BANKS.values()),
        *(partial(use, shop=shop) for shop in SHOPS.values()),
        *(partial(refused_by_rule, why=why, condition=one) for why, one in RULES.items()),
        *(partial(refused_by_stripe, status=status) for status in FAULTS.values()),
        *(refused_by_stop_of_one_customer, refused_by_stop_of_one_card),
    ]
    begin, step = now - timedelta(days=6, hours=4), timedelta(days=6) / len(acts)
    return ((begin + number * step, act) for number, act in enumerate(acts))


async def uses_it_a_little(stage: Stage) -> None:
    """Be approved three times: what looks at earlier purchases has some to look at."""
    for minor in (0, 100, 1_250):
        await stage.pay(stage.actors[IS_REFUSED], minor, *COFFEE)


async def use(stage: Stage, *, shop: tuple[str, str, str] = (*COFFEE, "US")) -> None:
    name, category, country = shop
    await stage.pay(stage.actors[IS_REFUSED], 1_999, name, category, country=country)


async def refused_by_bank(stage: Stage, *, token: str) -> None:
    who = stage.actors[IS_REFUSED]
    await stage.behave(who, token)
    await use(stage)
    await stage.behave(who, VISA)


async def refused_by_stripe(stage: Stage, *, status: int) -> None:
    fault = {"method": "POST", "path": "/v1/payment_intents", "action": "status", "times": None}
    await stage.controls.call("POST", "faults", fault | {"status": status})
    await use(stage)
    await stage.controls.call("DELETE", "faults")


async def refused_by_stop_of_one_customer(stage: Stage) -> None:
    value = str(stage.actors[IS_REFUSED].customer.id)
    condition = Stop(StopTarget.CUSTOMER, value)
    await refused_by_rule(stage, why=Why.STOPPED_CUSTOMER, condition=condition)


async def refused_by_stop_of_one_card(stage: Stage) -> None:
    value = str(stage.actors[IS_REFUSED].card.id)
    await refused_by_rule(stage, why=Why.STOPPED_CARD, condition=Stop(StopTarget.CARD, value))


async def refused_by_rule(stage: Stage, *, why: Why, condition: Condition) -> None:
    """Have a rule in force while something is bought."""
    shop = (*COFFEE, "US")
    if why is Why.CATEGORY_CLOSED:
        shop = ("B&H Photo", ELECTRONICS, "US")
    elif why is Why.COUNTRY_CLOSED:
        shop = ("Pyongyang Souvenirs", "gift_card_novelty_and_souvenir_shops", "KP")
    draft = Draft(
        condition=condition,
        name=f"Tried once: {why.value.replace('_', ' ')}",
        note="to see what it refuses",
        mode=RuleMode.ENFORCED,
        effective_from=stage.now,
    )
    async with stage.parts.sessions.begin() as session:
        row = await add_rule(session, draft, actor=SYSTEM, now=stage.now)
    try:
        await use(stage, shop=shop)
    finally:
        async with stage.parts.sessions.begin() as session:
            await end_rule(session, str(row.id), actor=SYSTEM, now=stage.now, reason="tried")
