"""What merchants and networks do. Each gives what it did in words, or None where nothing could be.

`pick` says with which purchase, `amount` how much of it in minor units.
"""

from app.domain.issuing.models import Card
from tests.situations import VISA, force_capture, helper, pay, unlinked_refund
from tests.soak.others import all_banks_change
from tests.soak.scene import Object, Scene, one_of

FORCE = "issuing/authorizations/{}/force_capture"
TAKE_BACK = "issuing/transactions/{}/reverse_refund"
WITH_A_FEE = (
    "SELECT DISTINCT moved.stripe_transaction_id AS name FROM card_transaction AS moved"
    " JOIN refund ON refund.purchase_id = moved.authorization_id"
    " WHERE moved.kind = 'refund' AND moved.amount_minor >= 200"
    " AND refund.returned_fee_minor > 0 AND moved.customer_id = ANY(:customers) ORDER BY name"
)
"""Refunds of merchants on purchases of which a part of our fee went back, too."""
EARNED = (
    "SELECT 1 FROM card_transaction WHERE stripe_transaction_id = '{}' AND earned_minor > 0"
    " AND customer_id = ANY(:customers)"
)


async def increment(scene: Scene, pick: int, amount: int) -> str | None:
    purchase = one_of(scene.purchases("pending"), pick)
    if purchase is None:
        return None
    more = max(amount, 1)
    return _told(await helper(scene.product, purchase["id"], "increment", increment_amount=more))


async def capture(scene: Scene, pick: int, how: str, amount: int) -> str | None:
    """Take the whole, less, more or much more, and end it; or a part, and leave it open."""
    purchase = one_of(scene.purchases("pending"), pick)
    if purchase is None:
        return None
    whole = purchase["amount"] - taken(scene, purchase)
    take = {
        "exactly": whole,
        "less": whole // 2,
        "more": whole + whole // 5 + 1,
        "tenfold": whole * 10,
        "in part": whole // 3,
        "so much": amount,
    }[how]
    closes = "false" if how == "in part" else "true"
    form = {"capture_amount": max(take, 1), "close_authorization": closes}
    return _told(await helper(scene.product, purchase["id"], "capture", **form))


async def capture_late(scene: Scene, pick: int, amount: int) -> str | None:
    """Take after the hold has expired, or again after the purchase was closed."""
    purchase = one_of(scene.purchases("expired", "closed"), pick)
    if purchase is None:
        return None
    form = {"capture_amount": max(amount, 1)}
    return _told(await helper(scene.product, purchase["id"], "capture", **form))


async def reverse(scene: Scene, pick: int, *, whole: bool) -> str | None:
    purchase = one_of(scene.purchases("pending"), pick)
    if purchase is None or purchase["amount"] == 0:
        return None
    amount = purchase["amount"] if whole else max(purchase["amount"] // 3, 1)
    return _told(await helper(scene.product, purchase["id"], "reverse", reverse_amount=amount))


async def expire(scene: Scene, pick: int) -> str | None:
    purchase = one_of(scene.purchases("pending"), pick)
    return _told(await helper(scene.product, purchase["id"], "expire")) if purchase else None


async def finalize(scene: Scene, pick: int, amount: int) -> str | None:
    purchase = one_of(scene.purchases("pending"), pick)
    if purchase is None:
        return None
    final = max(amount, 1)
    done = await helper(scene.product, purchase["id"], "finalize_amount", final_amount=final)
    return _told(done)


async def take_unasked(scene: Scene, pick: int, amount: int, merchant: str) -> str | None:
    form = {"merchant_data[name]": merchant}
    name = await force_capture(scene.product, scene.card(pick), max(amount, 1), **form)
    scene.taken_unasked.append(name)
    return name


async def take_after_no(scene: Scene, pick: int, amount: int) -> str | None:
    """Capture what was declined or reversed, which a network allows."""
    refused = scene.purchases("closed", approved=False)
    purchase = one_of([*refused, *scene.purchases("reversed")], pick)
    if purchase is None:
        return None
    body = {"amount": max(amount, 1)}
    return _told(await scene.product.control(FORCE.format(purchase["id"]), body))


async def give_back(scene: Scene, pick: int, amount: int | None) -> str | None:
    """Refund a capture, in part or all that is left of it."""
    captured = one_of(scene.transactions("capture"), pick)
    if captured is None:
        return None
    path = f"/v1/test_helpers/issuing/transactions/{captured['id']}/refund"
    form = {} if amount is None else {"refund_amount": max(amount, 1)}
    return _told(await scene.product.call("POST", path, **form))


async def give_unasked(scene: Scene, pick: int, amount: int, merchant: str) -> str | None:
    """Refund without naming a purchase: what was captured, or another amount."""
    captured = one_of(scene.transactions("capture"), pick)
    card = scene.card(pick)
    form: dict[str, str] = {"merchant_data[name]": merchant}
    if captured is not None and amount % 2:
        amount = -captured["amount"]
        form["merchant_data[name]"] = captured["merchant_data"]["name"]
        card = next(
            c for h in scene.holders for c in h.cards if c.stripe_card_id == captured["card"]
        )
    return await unlinked_refund(scene.product, card, max(amount, 1), **form)


async def take_back(scene: Scene, pick: int, amount: int | None) -> str | None:
    """Reverse a refund, in part or what is left of it."""
    refunded = one_of(scene.transactions("refund"), pick)
    return None if refunded is None else await reverse_refund(scene, refunded["id"], amount)


async def take_back_with_fee(scene: Scene, pick: int) -> str | None:
    """Reverse a refund with which our fee went back, too; have one given where there is none."""
    if not await scene.rows(WITH_A_FEE) and not await _give_with_fee(scene, pick):
        return None
    refunded = one_of(await scene.rows(WITH_A_FEE), pick)
    return None if refunded is None else await reverse_refund(scene, refunded["name"], None)


async def _give_with_fee(scene: Scene, pick: int) -> bool:
    """Take money that is paid at once, and give it back; say whether our fee went with it."""
    await all_banks_change(scene, pick, VISA)
    name = await taken_from(scene, scene.holder(pick).card)
    if not await scene.soon(EARNED.format(name)):
        return False
    await scene.product.call("POST", f"/v1/test_helpers/issuing/transactions/{name}/refund")
    return await scene.soon(WITH_A_FEE)


async def taken_from(scene: Scene, card: Card) -> str:
    """Buy and capture; without asking where the product declines. Give the capture's id."""
    made = await pay(scene.product, card, 2_000)
    if "id" in made:
        scene.bought.append(made["id"])
    if made.get("approved"):
        await helper(scene.product, made["id"], "capture")
        return str(scene.transactions("capture")[-1]["id"])
    scene.taken_unasked.append(await force_capture(scene.product, card, 2_000))
    return scene.taken_unasked[-1]


async def reverse_refund(scene: Scene, name: str, amount: int | None) -> str:
    """Take a refund back."""
    body = {} if amount is None else {"amount": max(amount, 1)}
    response = await scene.product.stripe.post(f"/_sandbox/{TAKE_BACK.format(name)}", json=body)
    return _told(response.json())


def taken(scene: Scene, purchase: Object) -> int:
    """Give what was captured of a purchase."""
    moved = scene.world.find("issuing.transaction", authorization=purchase["id"])
    captured: int = sum(one["amount"] for one in moved if one["type"] == "capture")
    return -captured


def _told(answer: Object) -> str:
    if "error" in answer:
        return f"refused: {answer['error']['message']}"
    return f"{answer['id']} {answer.get('status', answer.get('type'))} {answer['amount']}"
