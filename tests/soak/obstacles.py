"""Purchases that something speaks against: a control, a rule, Stripe, a bank, or the wire.

What was changed for one purchase is changed back after it, so that the next ones are not all
declined. Each gives the authorization, or None where Stripe knows of none.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

from app.domain.issuing.facts import Scope
from app.domain.issuing.models import Card
from app.domain.issuing.rules import (
    CardTesting,
    CategoryGroup,
    ClosedCategories,
    ClosedCountries,
    Condition,
    DeclineStreak,
    NewCustomer,
    RiskScore,
    Stop,
    StopTarget,
    Velocity,
)
from tests.controls import end, rule
from tests.faults.arming import arm
from tests.serving import free_port
from tests.signing import AUTHORIZATIONS, post, question
from tests.situations import pay
from tests.soak.noting import UNNOTED
from tests.soak.scene import Object, Scene

SNACKS = "fast_food_restaurants"
OWNERS: Mapping[str, tuple[str, str]] = {
    "purchase limit": (
        "card SET purchase_limit_minor = 50",
        "card SET purchase_limit_minor = NULL",
    ),
    "daily limit": ("card SET daily_limit_minor = 50", "card SET daily_limit_minor = 100000"),
    "monthly limit": ("card SET monthly_limit_minor = 50", "card SET monthly_limit_minor = 500000"),
    "single use": ("card SET single_use = true", "card SET single_use = false"),
    "merchant lock": ("card SET merchant_lock = '9'", "card SET merchant_lock = NULL"),
    "category": (
        f"card SET blocked_categories = '{{{SNACKS}}}'",
        "card SET blocked_categories = '{}'",
    ),
    "country": ("card SET allowed_countries = '{CH}'", "card SET allowed_countries = '{}'"),
    "dates": ("card SET active_until = '2026-01-01'", "card SET active_until = NULL"),
}
CUSTOMERS: Mapping[str, tuple[str, str]] = {
    "exposure limit": (
        "customer SET exposure_limit_minor = 50",
        "customer SET exposure_limit_minor = 10000000",
    ),
    "customer frozen": ("customer SET state = 'frozen'", "customer SET state = 'active'"),
}
LINKED = "SELECT id FROM funding_source WHERE state = 'active' AND customer_id = :id"
UNLINK = "{unnoted}; UPDATE funding_source SET state = '{state}' WHERE id = ANY('{{{ids}}}')"
"""Nobody links again what was removed: the database does not note it as a move."""
RULES: Mapping[str, Callable[[Card], Condition]] = {
    "stop of all": lambda _: Stop(StopTarget.ALL),
    "stop of the customer": lambda card: Stop(StopTarget.CUSTOMER, str(card.customer_id)),
    "stop of the card": lambda card: Stop(StopTarget.CARD, str(card.id)),
    "stop of linked cards": lambda _: Stop(StopTarget.FUNDING, "*/*/*"),
    "stop of a merchant": lambda _: Stop(StopTarget.MERCHANT, "*"),
    "closed category": lambda _: ClosedCategories(CategoryGroup.OTHER, [SNACKS]),
    "closed country": lambda _: ClosedCountries(["US"]),
    "card too often": lambda _: Velocity(Scope.CARD, 60, purchases=0),
    "card too much": lambda _: Velocity(Scope.CARD, 60, amount_minor=50),
    "customer too often": lambda _: Velocity(Scope.CUSTOMER, 60, purchases=0),
    "customer too much": lambda _: Velocity(Scope.CUSTOMER, 60, amount_minor=50),
    "new customer": lambda _: NewCustomer(for_days=9000, window_days=1, amount_minor=50),
    "declines": lambda _: DeclineStreak(minutes=60, declines=0),
    "probes": lambda _: CardTesting(minutes=60, probes=0),
    "risk": lambda _: RiskScore(at_least=10),
}
# What is asked for in another way: of the form, or of the merchant.
FORMS: Mapping[str, dict[str, Any]] = {
    "cash": {"merchant_data[category]": "automated_cash_disburse"},
    "quasi-cash": {"merchant_data[category]": "wires_money_orders"},
    "gambling": {"merchant_data[category]": "betting_casino_gambling"},
    "ourselves": {"merchant_data[name]": "PROXYCARD* COFFEE"},
    "more than the float": {"amount": 99_999_999},
    "more than Stripe's limit": {"amount": 100_001},
    "wrong code": {"verification_data[cvc_check]": "mismatch"},
}
QUESTIONS: Mapping[str, dict[str, Any]] = {
    "another currency": {"currency": "eur"},
    "less than nothing": {"amount": -500},
    "beyond what can be charged": {"amount": 99_999_990},
    "not known to Stripe": {},
}
WIRE: Mapping[str, dict[str, Any]] = {
    "cut before": {"action": "drop_before"},
    "cut after": {"action": "drop_after"},
    "error before": {"action": "status", "status": 500},
    "error after": {"action": "status", "status": 500, "after_effect": True},
    "too many calls": {"action": "status", "status": 429},
    "key refused": {"action": "status", "status": 401},
    "slow": {"action": "delay", "delay_ms": 2500, "after_effect": True},
}
STATUSES = ("card inactive at Stripe", "cardholder inactive at Stripe")
IDENTITY = "Stripe wants identity"
UNASKED = ("nobody answers", "Stripe answers for us")
TOO_LATE = "nobody answers in time"
DOWN = "Stripe answers nothing"
PURCHASES_UNTIL_PAUSED = 13
BANKS: Mapping[str, str] = {
    "bank says: wrong code": "pm_card_chargeDeclinedIncorrectCvc",
    "bank says: its own error": "pm_card_chargeDeclinedProcessingError",
    "bank says: too often": "pm_card_visa_chargeDeclinedVelocityLimitExceeded",
    "bank says: fraud": "pm_card_radarBlock",
}
OWN = ("purchase limit", "daily limit", "monthly limit", "merchant lock", "category", "country")
"""What customers can let pass once themselves; staff can let more pass."""
ALLOWABLE = (*OWN, "closed category", "card too much", "customer too often", "risk")
KINDS = (
    *(*OWNERS, *CUSTOMERS, "no linked card", *RULES, *FORMS, *QUESTIONS, "unknown card"),
    *(*WIRE, *STATUSES, IDENTITY, *UNASKED, TOO_LATE, DOWN, *BANKS),
)


async def buy_against(scene: Scene, kind: str, pick: int, amount: int) -> str | None:
    """Buy where something speaks against it; say how it ended."""
    card = scene.card(pick)
    if kind in QUESTIONS or kind == "unknown card":
        return await _asked(scene, card, kind, amount)
    if kind == DOWN:
        return await _until_paused(scene, card)
    async with against(scene, kind, card):
        form: dict[str, Any] = FORMS.get(kind, {})
        made = await pay(scene.product, card, **({"amount_minor": amount} | form))
        if "id" not in made:
            return None
        scene.bought.append(made["id"])
    return f"{made['id']} approved={made['approved']} {made['request_history'][0]['reason']}"


async def _asked(scene: Scene, card: Card, kind: str, amount: int) -> str:
    """Ask the product about what Stripe itself knows nothing of."""
    change = {"amount": amount, "currency": "usd"} | QUESTIONS.get(kind, {})
    name = "ic_of_nobody" if kind == "unknown card" else card.stripe_card_id
    asked = question(name, pending_request=change)
    answer = await post(scene.product.web, AUTHORIZATIONS, asked)
    return f"{asked['data']['object']['id']} {answer.text}"


async def _until_paused(scene: Scene, card: Card) -> str:
    """Buy so often while no charge is answered that the product does not ask for more."""
    reasons = []
    async with _broken(scene, {"action": "drop_before", "times": None}):
        for _ in range(PURCHASES_UNTIL_PAUSED):
            made = await pay(scene.product, card, 60)
            if "id" in made:
                scene.bought.append(made["id"])
                reasons.append(made["request_history"][0]["reason"])
    return ", ".join(reasons)


def against(scene: Scene, kind: str, card: Card) -> AbstractAsyncContextManager[None]:
    """Give what speaks against the purchase, for as long as it is made; nothing for a form."""
    if kind in RULES:
        return _ruled(scene, RULES[kind](card))
    if kind in WIRE:
        return _broken(scene, WIRE[kind])
    if kind in BANKS:
        return _refusing(scene, card, BANKS[kind])
    if kind in OWNERS or kind in CUSTOMERS or kind == "no linked card":
        return _changed(scene, kind, card)
    return _at_stripe(scene, kind, card)


def _at_stripe(scene: Scene, kind: str, card: Card) -> AbstractAsyncContextManager[None]:
    if kind in STATUSES:
        return _inactive(scene, card, of_card=kind == STATUSES[0])
    if kind in UNASKED:
        address = f"http://127.0.0.1:{free_port()}/"
        return _unasked(scene, "approve" if kind == UNASKED[1] else "decline", address)
    if kind == IDENTITY:
        return _in_doubt(scene, card)
    return _silent(scene) if kind == TOO_LATE else nullcontext()


@asynccontextmanager
async def _changed(scene: Scene, kind: str, card: Card) -> AsyncIterator[None]:
    if kind == "no linked card":
        rows = await scene.product.rows(LINKED, id=card.customer_id)
        linked = ",".join(str(row["id"]) for row in rows)
        before, after = (
            UNLINK.format(unnoted=UNNOTED, state=state, ids=linked)
            for state in ("removed", "active")
        )
    else:
        changes = OWNERS.get(kind) or CUSTOMERS[kind]
        whose = card.id if kind in OWNERS else card.customer_id
        before, after = (f"UPDATE {change} WHERE id = '{whose}'" for change in changes)
    await scene.product.as_owner(before)
    try:
        yield
    finally:
        await scene.product.as_owner(after)


@asynccontextmanager
async def _ruled(scene: Scene, condition: Condition) -> AsyncIterator[None]:
    added = await rule(scene.product, condition)
    try:
        yield
    finally:
        await end(scene.product, added)


@asynccontextmanager
async def _broken(scene: Scene, fault: Object) -> AsyncIterator[None]:
    await arm(scene.product, **fault)
    try:
        yield
    finally:
        await scene.product.stripe.delete("/_sandbox/faults")


@asynccontextmanager
async def _inactive(scene: Scene, card: Card, *, of_card: bool) -> AsyncIterator[None]:
    path = f"/v1/issuing/cards/{card.stripe_card_id}"
    if not of_card:
        told = await scene.product.call("GET", path)
        path = f"/v1/issuing/cardholders/{told['cardholder']['id']}"
    await scene.product.call("POST", path, status="inactive")
    try:
        yield
    finally:
        await scene.product.call("POST", path, status="active")


@asynccontextmanager
async def _in_doubt(scene: Scene, card: Card) -> AsyncIterator[None]:
    """Have Stripe look into who the cardholder is; there is no test helper for it."""
    told = await scene.product.call("GET", f"/v1/issuing/cards/{card.stripe_card_id}")
    person = scene.world.get("issuing.cardholder", told["cardholder"]["id"])
    before = person["requirements"]
    scene.world.save(person | {"requirements": before | {"disabled_reason": "under_review"}})
    try:
        yield
    finally:
        scene.world.save(person | {"requirements": before})


@asynccontextmanager
async def _silent(scene: Scene) -> AsyncIterator[None]:
    """Have the address of the product take the question, and say nothing."""

    async def keep_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(keep_silent, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server, _unasked(scene, "decline", address):
        yield


@asynccontextmanager
async def _unasked(scene: Scene, default: str, address: str) -> AsyncIterator[None]:
    """Have another address asked, which does not answer: Stripe then decides by its default."""
    settings = scene.world.settings
    elsewhere = {"authorization_webhook_url": address}
    defaults = {"authorization_timeout": default, "webhook_error": default}
    before = {"authorization_webhook_url": settings.authorization_webhook_url}
    await scene.product.control("settings", elsewhere | defaults)
    try:
        yield
    finally:
        declines = dict.fromkeys(defaults, "decline")
        await scene.product.control("settings", before | declines)


@asynccontextmanager
async def _refusing(scene: Scene, card: Card, token: str) -> AsyncIterator[None]:
    sources = [s for one in scene.holders if card in one.cards for s in one.sources]
    paths = [f"payment_methods/{s.stripe_payment_method_id}/behaves_like" for s in sources]
    for path in paths:
        await scene.product.control(path, {"token": token})
    try:
        yield
    finally:
        for path in paths:
            await scene.product.control(path, {"token": None})
