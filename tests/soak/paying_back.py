"""What no linked card can have: refunds that banks send back, debts that were paid to our bank.

Where there is none, each has one come about; where events are late or lost, perhaps in vain.
"""

from collections.abc import Mapping

from tests.situations import force_capture
from tests.soak.merchants import reverse_refund, taken_from
from tests.soak.obstacles import against
from tests.soak.office import DECISIONS, Act, on
from tests.soak.others import all_banks_change
from tests.soak.scene import Scene, one_of

OWED = (
    "refund.state = 'failed' AND refund.paid_outside_minor = 0 AND refund.amount_minor"
    " > refund.withdrawn_principal_minor + refund.withdrawn_fee_minor"
    " AND refund.customer_id = ANY(:customers)"
)
SENT_BACK = f"SELECT id FROM refund WHERE {OWED} ORDER BY id"  # noqa: S608
GIVEN = (
    "SELECT DISTINCT moved.stripe_transaction_id AS name FROM card_transaction AS moved"  # noqa: S608
    " JOIN refund ON refund.purchase_id = moved.authorization_id"
    " WHERE moved.kind = 'refund' AND moved.amount_minor > 0"
    f" AND refund.purpose = 'merchant_refund' AND {OWED} ORDER BY name"
)
TO_PAY_BACK = (
    "SELECT id FROM receivable WHERE customer_id = ANY(:customers)"
    " AND lowered_minor + paid_outside_minor - amount_minor > paid_back_minor ORDER BY id"
)
OF_CAPTURE = (
    "SELECT debt.id FROM receivable AS debt JOIN card_authorization AS purchase"
    " ON purchase.id = debt.purchase_id AND purchase.stripe_authorization_id = '{}'"
    " WHERE debt.state = 'open' AND debt.customer_id = ANY(:customers)"
)
STATEMENT = "TRANSFER 4712"
SENDS_BACK = "pm_card_refundFail"
APPROVE = DECISIONS.index("approve")


async def pay_refund(scene: Scene, pick: int) -> str | None:
    """Note that a customer had from our bank account what their bank sent back."""
    await _sent_back(scene, pick)
    return await on(scene, SENT_BACK, "refund-paid-outside", pick, statement=STATEMENT)


async def withdraw(scene: Scene, pick: int) -> str | None:
    """Have a merchant take back a refund that the bank sent back."""
    await _sent_back(scene, pick)
    given = one_of(await scene.rows(GIVEN), pick)
    return (
        None if given is None else await reverse_refund(scene, given["name"], (None, 100)[pick % 2])
    )


async def pay_debt_back(scene: Scene, pick: int) -> str | None:
    """Note that a customer had back what merchants gave back of a debt paid to our bank."""
    if not await scene.rows(TO_PAY_BACK):
        await _paid_outside_and_given_back(scene, pick)
    return await on(scene, TO_PAY_BACK, "debt-paid-back", pick, statement=STATEMENT)


async def _sent_back(scene: Scene, pick: int) -> None:
    if await scene.rows(SENT_BACK):
        return
    await all_banks_change(scene, pick, SENDS_BACK)
    await _give_back(scene, await taken_from(scene, scene.holder(pick).card))
    await scene.soon(SENT_BACK)


async def _paid_outside_and_given_back(scene: Scene, pick: int) -> None:
    card = scene.card(pick)
    async with against(scene, "bank says: fraud", card):
        name = await force_capture(scene.product, card, 2_000)
        scene.taken_unasked.append(name)
        await scene.soon(OF_CAPTURE.format(name))
    if await on(scene, OF_CAPTURE.format(name), "debt-paid-outside", APPROVE, statement=STATEMENT):
        await _give_back(scene, name)
        await scene.soon(TO_PAY_BACK)


async def _give_back(scene: Scene, capture: str) -> None:
    await scene.product.call("POST", f"/v1/test_helpers/issuing/transactions/{capture}/refund")


PAYING_BACK: Mapping[str, Act] = {
    "note a refund paid another way": pay_refund,
    "note a debt paid back": pay_debt_back,
    "take back what a bank sent back": withdraw,
}
