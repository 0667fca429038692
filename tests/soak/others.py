"""What banks, staff, time and machines do."""

from app.jobs.bookkeeping import FILL_GAPS
from app.jobs.catalogue import regular_jobs
from app.jobs.regular import run_named
from tests.controls import later
from tests.signing import EVENTS, post
from tests.situations import behave
from tests.soak.scene import Scene

ACTED_ON = (
    *("issuing_authorization.*", "issuing_transaction.*", "payment_intent.canceled"),
    *("charge.updated", "charge.expired", "charge.refund.updated"),
    *("refund.updated", "refund.failed"),
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


async def detach(scene: Scene, pick: int) -> str:
    """Take a linked card from its customer at Stripe, without a word to us."""
    name = scene.source(pick).stripe_payment_method_id
    await scene.product.call("POST", f"/v1/payment_methods/{name}/detach")
    return name


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


async def top_up(scene: Scene, amount: int) -> str | None:
    """Send money from the bank to the Issuing balance; it is there some days later."""
    form = {"amount": amount, "currency": "usd", "destination_balance": "issuing"}
    sent = await scene.product.call("POST", "/v1/topups", **form)
    return str(sent["id"])
