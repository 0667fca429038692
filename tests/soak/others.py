"""What banks, staff, time and machines do."""

from uuid import UUID

from app.domain.funding.receivables import pay_outside, try_now, write_off
from app.domain.funding.refund_models import Receivable
from app.domain.identity.audit import SYSTEM
from app.domain.identity.reasons import Reason
from app.domain.issuing.states import CardState
from app.domain.issuing.unlinked import UnlinkedTransactions
from app.jobs.bookkeeping import FILL_GAPS
from app.jobs.catalogue import regular_jobs
from app.jobs.regular import run_named
from tests.cards import move_card
from tests.controls import later
from tests.signing import EVENTS, post
from tests.situations import behave
from tests.soak.scene import Scene, one_of

ACTED_ON = (
    *("issuing_authorization.*", "issuing_transaction.*", "payment_intent.canceled"),
    *("charge.updated", "charge.expired", "charge.refund.updated"),
    *("refund.updated", "refund.failed"),
)
LEFT_DEBTS = (
    "SELECT id FROM receivable WHERE state IN ('open', 'written_off')"
    " AND customer_id = ANY(:customers) ORDER BY id"
)
OPEN_DEBTS = (
    "SELECT id FROM receivable WHERE state = 'open' AND customer_id = ANY(:customers) ORDER BY id"
)
UNMATCHED = (
    "SELECT stripe_transaction_id AS name, customer_id FROM card_transaction"
    " WHERE unmatched AND authorization_id IS NULL AND customer_id = ANY(:customers) ORDER BY id"
)


async def bank_changes(scene: Scene, pick: int, token: str) -> str:
    source = scene.source(pick)
    await behave(scene.product, source.stripe_payment_method_id, token)
    return source.stripe_payment_method_id


async def all_banks_change(scene: Scene, pick: int, token: str) -> str:
    """Have every linked card of a customer behave so."""
    sources = scene.holder(pick).sources
    for source in sources:
        await behave(scene.product, source.stripe_payment_method_id, token)
    return ", ".join(source.stripe_payment_method_id for source in sources)


async def days_pass(scene: Scene, days: int) -> None:
    await later(scene.product, days=days)


async def give_debt_up(scene: Scene, pick: int) -> str | None:
    debts = await scene.product.rows(OPEN_DEBTS, customers=scene.customers)
    debt = one_of(debts, pick)
    if debt is None:
        return None
    now = scene.product.parts.clock.now()
    sessions = scene.product.parts.sessions
    await write_off(sessions, debt["id"], "nobody pays", actor=SYSTEM, now=now)
    return str(debt["id"])


async def debt_comes_by_bank(scene: Scene, pick: int) -> str | None:
    """Have a customer pay what they owe to our bank account, also what was given up."""
    debt = one_of(await scene.product.rows(LEFT_DEBTS, customers=scene.customers), pick)
    if debt is None:
        return None
    parts, reason = scene.product.parts, Reason("paid_otherwise", "it is on the statement")
    async with parts.sessions.begin() as session:
        owed = (await session.get_one(Receivable, debt["id"])).outstanding_minor
        await pay_outside(
            session,
            debt["id"],
            actor=SYSTEM,
            now=parts.clock.now(),
            reason=reason,
            expected_minor=owed,
        )
    return str(debt["id"])


async def try_debt_now(scene: Scene, pick: int) -> str | None:
    """Have a debt tried again, one that was given up too."""
    debt = one_of(await scene.product.rows(LEFT_DEBTS, customers=scene.customers), pick)
    if debt is None:
        return None
    parts = scene.product.parts
    now = parts.clock.now()
    await try_now(parts.sessions, debt["id"], "they can pay", actor=SYSTEM, now=now)
    return str(debt["id"])


async def detach(scene: Scene, pick: int) -> str:
    """Take a linked card from its customer at Stripe, without a word to us."""
    name = scene.source(pick).stripe_payment_method_id
    await scene.product.call("POST", f"/v1/payment_methods/{name}/detach")
    return name


async def freeze(scene: Scene, pick: int) -> str:
    """Freeze a card, or thaw it where we froze it."""
    card = scene.card(pick)
    [row] = await scene.product.rows("SELECT state FROM card WHERE id = :id", id=card.id)
    if row["state"] == CardState.ACTIVE:
        await move_card(scene.product, card, CardState.FROZEN)
        scene.frozen.add(card.id)
    elif row["state"] == CardState.FROZEN and card.id in scene.frozen:
        await move_card(scene.product, card, CardState.ACTIVE)
        scene.frozen.discard(card.id)
    return f"{card.stripe_card_id} was {row['state']}"


async def close_card(scene: Scene, pick: int) -> str | None:
    card = scene.card(pick)
    [row] = await scene.product.rows("SELECT state FROM card WHERE id = :id", id=card.id)
    if row["state"] == CardState.CLOSED or _frozen_by_us(row["state"], card.id, scene):
        return None
    await move_card(scene.product, card, CardState.CLOSED)
    return card.stripe_card_id


def _frozen_by_us(state: str, card: UUID, scene: Scene) -> bool:
    """Whether the product froze it, because nobody pays: then it stays so."""
    return state == CardState.FROZEN and card not in scene.frozen


async def tell_again(scene: Scene, pick: int) -> None:
    """Deliver events of this example once more, the newest first."""
    for event in list(scene.latest_events(12))[pick % 4 :: 4]:
        if not event.type.endswith(".request"):
            await post(scene.product.web, EVENTS, bytes(event.body))


def hold_events(scene: Scene) -> None:
    """Keep every event back until `release_events`."""
    scene.world.deliveries.faults.add({"action": "hold", "times": None})


def lose_events(scene: Scene) -> None:
    """Lose every event that something is done about, until `find_events`."""
    for kind in ACTED_ON:
        scene.world.deliveries.faults.add({"action": "lose", "type": kind, "times": None})


async def find_events(scene: Scene) -> None:
    """Lose no more, and have the job run that looks for what was lost."""
    scene.world.deliveries.faults.clear()
    parts = scene.product.parts
    await run_named(parts.sessions, regular_jobs(parts), FILL_GAPS)


async def release_events(scene: Scene) -> None:
    """Deliver what was held back, the newest first."""
    deliveries = scene.world.deliveries
    deliveries.faults.clear()
    await deliveries.release(deliveries.held_back()[::-1])


async def assign_refund(scene: Scene, pick: int) -> str | None:
    """Have a person say which purchase a refund without one belongs to."""
    refund = one_of(await scene.product.rows(UNMATCHED, customers=scene.customers), pick)
    if refund is None:
        return None
    purchases = await scene.product.rows(
        "SELECT stripe_authorization_id AS name FROM card_authorization"
        " WHERE customer_id = :customer ORDER BY id",
        customer=refund["customer_id"],
    )
    purchase = one_of(purchases, pick)
    if purchase is None:
        return None
    parts = scene.product.parts
    unlinked = UnlinkedTransactions(parts.sessions, parts.settler)
    await unlinked.assign(refund["name"], purchase["name"], "they said so", actor=SYSTEM)
    return f"{refund['name']} is of {purchase['name']}"
