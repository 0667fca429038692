"""What staff do, on the pages of the back office.

Each says what came of it, or None where nothing could be. What two have to agree on, another member
approves or refuses, or it is withdrawn.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from uuid import UUID

from app.domain.issuing.models import Card
from app.domain.issuing.states import CardState
from tests.acting import NOTE, Form
from tests.back_office import csrf_token_on
from tests.situations import force_capture, pay, unlinked_refund
from tests.soak.desks import ASKS, DECIDES
from tests.soak.merchants import TAKE_BACK
from tests.soak.obstacles import ALLOWABLE, against
from tests.soak.scene import Object, Scene, one_of
from tests.waiting import until

DECISIONS = ("approve", "approve", "refuse", "withdraw")
UNDERSTOOD = (303, 409, 422)
"""Done, changed meanwhile, or a field is wrong: all else is a violation."""

OPEN_DEBTS = (
    "SELECT id FROM receivable WHERE state = 'open' AND customer_id = ANY(:customers) ORDER BY id"
)
LOST_DEBTS = (
    "SELECT id FROM receivable"
    " WHERE state = 'written_off' AND customer_id = ANY(:customers) ORDER BY id"
)
ENDED = (
    "SELECT id FROM card_authorization AS purchase"
    " WHERE state <> 'pending' AND customer_id = ANY(:customers)"
    " AND EXISTS (SELECT FROM card_transaction WHERE authorization_id = purchase.id) ORDER BY id"
)
UNMATCHED = (
    "SELECT id, stripe_transaction_id AS name, amount_minor FROM card_transaction"
    " WHERE unmatched AND authorization_id IS NULL AND customer_id = ANY(:customers) ORDER BY id"
)
TAKEN_BACK = (
    "SELECT id FROM card_transaction WHERE unmatched AND authorization_id IS NULL"
    " AND amount_minor < 0 AND customer_id = ANY(:customers) ORDER BY id"
)
OURS = "SELECT id FROM card_authorization WHERE stripe_authorization_id = :name"
CARD = (
    "SELECT state, frozen_by, EXISTS (SELECT FROM card_authorization WHERE card_id = card.id"
    " AND not_handled LIKE '%nobody has paid%') AS unpaid FROM card WHERE id = :id"
)
HAS_NEW = "SELECT id FROM card WHERE replaces_id = :id"


async def refund_purchase(scene: Scene, pick: int) -> str | None:
    """Give a purchase back, or a part; with our fee or without; more than one may alone, too."""
    purchase = one_of(await scene.rows(ENDED), pick)
    if purchase is None:
        return None
    part = (None, "0.50", "7.01", "45.00")[pick % 4]
    form = {"fee": "no" if pick % 3 else "yes"} | ({"amount": part} if part else {})
    return await _act(scene, "refund-purchase", purchase["id"], pick, **form)


async def write_off(scene: Scene, pick: int) -> str | None:
    return await on(scene, OPEN_DEBTS, "write-off-debt", pick)


async def collect(scene: Scene, pick: int) -> str | None:
    return await on(scene, OPEN_DEBTS, "collect-debt", pick)


async def recover(scene: Scene, pick: int) -> str | None:
    """Open a debt again that was given up; give one up, where none is."""
    await _give_up(scene, pick)
    return await on(scene, LOST_DEBTS, "recover-debt", pick)


async def paid_outside(scene: Scene, pick: int) -> str | None:
    """Note that a debt has come to our bank account, one that was given up too."""
    query = (OPEN_DEBTS, LOST_DEBTS)[pick % 2]
    if query == LOST_DEBTS:
        await _give_up(scene, pick)
    return await on(scene, query, "debt-paid-outside", pick, statement="TRANSFER 4711")


async def assign_refund(scene: Scene, pick: int) -> str | None:
    """Say which purchase a refund that names none belongs to.

    Perhaps a cent of it is taken back before, which is said to belong to the same then.
    """
    row = one_of(await scene.rows(UNMATCHED), pick) or await _unmatched(scene, pick)
    if row is None:
        return None
    if pick % 2 == 0 or row["amount_minor"] < 0:
        return await _act(scene, "assign-refund", row["id"], pick)
    before = len(await scene.rows(TAKEN_BACK))
    path = f"/_sandbox/{TAKE_BACK.format(row['name'])}"
    await scene.product.stripe.post(path, json={"amount": 1})
    await scene.soon(TAKEN_BACK, than=before)
    told = await _act(scene, "assign-refund", row["id"], pick)
    for taken in await scene.rows(TAKEN_BACK):
        told = await _act(scene, "assign-refund", taken["id"], pick)
    return told


async def _unmatched(scene: Scene, pick: int) -> Object | None:
    """Have a merchant take money, and another give some without saying for what."""
    holder = scene.holder(pick)
    scene.taken_unasked.append(await force_capture(scene.product, holder.card, 2_000))
    await unlinked_refund(scene.product, holder.card, 1_000, **{"merchant_data[name]": "Nobody"})
    await scene.soon(UNMATCHED)
    return one_of(await scene.rows(UNMATCHED), pick)


async def freeze(scene: Scene, pick: int) -> str | None:
    """Freeze a card, or thaw it where staff froze it and everything on it is paid."""
    card = scene.card(pick)
    [row] = await scene.product.rows(CARD, id=card.id)
    if row["state"] == CardState.ACTIVE:
        return await _act(scene, "freeze-card", card.id, pick)
    if row["frozen_by"] == "staff" and not row["unpaid"]:
        return await _act(scene, "unfreeze-card", card.id, pick)
    return None


async def close(scene: Scene, pick: int) -> str | None:
    card = scene.card(pick)
    [row] = await scene.product.rows(CARD, id=card.id)
    if row["state"] == CardState.CLOSED:
        return None
    return await _act(scene, "close-card", card.id, pick)


async def replace(scene: Scene, pick: int) -> str | None:
    """Give a card a new number; the old one stays in the scene, for what still comes on it."""
    card = scene.card(pick)
    [row] = await scene.product.rows(CARD, id=card.id)
    if row["state"] == CardState.CLOSED:
        return None
    told = await _act(scene, "replace-card", card.id, pick)
    if told != "done":
        return told

    async def is_there() -> bool:
        return bool(await scene.product.rows(HAS_NEW, id=card.id))

    await until(is_there, why="the new card is there")
    [row] = await scene.product.rows(HAS_NEW, id=card.id)
    async with scene.product.parts.sessions() as session:
        made = await session.get_one(Card, row["id"])
    next(one for one in scene.holders if card in one.cards).cards.append(made)
    return f"{made.stripe_card_id} in place of {card.stripe_card_id}"


async def allow_once(scene: Scene, pick: int) -> str | None:
    """Let pass once what a rule or a setting has declined, while it still speaks against it."""
    card, kind = scene.card(pick), ALLOWABLE[pick % len(ALLOWABLE)]
    async with against(scene, kind, card):
        refused = await pay(scene.product, card, 1_000)
        if "id" not in refused:
            return None
        scene.bought.append(refused["id"])
        ours = await scene.product.rows(OURS, name=refused["id"])
        if not ours or refused["approved"]:
            return None
        told = await _act(scene, "allow-once", ours[0]["id"], pick)
        again = await pay(scene.product, card, 1_000)
        if "id" in again:
            scene.bought.append(again["id"])
    return f"{told}; {again.get('id')} approved={again.get('approved')}"


Act = Callable[[Scene, int], Awaitable[str | None]]
DEBTS: Mapping[str, Act] = {
    "write off": write_off,
    "try a debt now": collect,
    "recover a debt": recover,
    "note a debt paid outside": paid_outside,
}
REFUNDS: Mapping[str, Act] = {"refund a purchase": refund_purchase}
STAFF: Mapping[str, Act] = {
    **DEBTS,
    **REFUNDS,
    "assign a refund": assign_refund,
    "freeze or thaw": freeze,
    "close a card": close,
    "replace a card": replace,
    "allow once": allow_once,
}


async def _give_up(scene: Scene, pick: int) -> None:
    """Write a debt off, which two agree on; have a bank refuse what a merchant takes before."""
    if await scene.rows(LOST_DEBTS):
        return
    card = scene.card(pick)
    async with against(scene, "bank says: fraud", card):
        scene.taken_unasked.append(await force_capture(scene.product, card, 2_000))
        if await scene.soon(OPEN_DEBTS):
            await on(scene, OPEN_DEBTS, "write-off-debt", DECISIONS.index("approve"))


async def on(scene: Scene, query: str, slug: str, pick: int, **typed: str) -> str | None:
    """Do an action to one of the rows that a query finds."""
    row = one_of(await scene.rows(query), pick)
    return None if row is None else await _act(scene, slug, row["id"], pick, **typed)


async def _act(scene: Scene, slug: str, key: UUID, pick: int, **typed: str) -> str:
    """Fill in the page of an action and send it; have another member decide what waits for one."""
    client = await scene.office.browser(ASKS)
    path = f"/admin/act/{slug}/{key}"
    page = await client.get(path)
    if 'name="once"' not in page.text:
        assert page.status_code == 200, page.text
        return "refused: not possible now"
    form = Form(client, path, page)
    typed = _as_offered(page.text) | typed
    answer = await form.send(**typed)
    assert answer.status_code in UNDERSTOOD, f"{slug}: {answer.status_code} {answer.text}"
    onward = answer.headers.get("location", "")
    if onward.startswith("/admin/approval/"):
        return await _decided(scene, onward, DECISIONS[pick % len(DECISIONS)])
    return "done" if answer.status_code == 303 else f"refused: {answer.status_code}"


async def _decided(scene: Scene, place: str, what: str) -> str:
    client = await scene.office.browser(ASKS if what == "withdraw" else DECIDES)
    page = await client.get(place)
    form = {"csrf_token": csrf_token_on(page), "note": NOTE}
    answer = await client.post(f"{place}/{what}", data=form)
    assert answer.status_code in UNDERSTOOD, f"{what}: {answer.status_code} {answer.text}"
    return f"{what}: {answer.status_code}"


def _as_offered(text: str) -> dict[str, str]:
    """Give what the page has filled in already, as amount, fee or purchase."""
    found = dict(re.findall(r'<input[^>]*\bname="(amount)"[^>]*\bvalue="([^"]*)"', text))
    for name, options in re.findall(r'(?s)<select[^>]*name="(\w+)"[^>]*>(.*?)</select>', text):
        first = re.search(r'<option value="([^"]*)"', options)
        if name != "reason" and first:
            found[name] = first[1]
    return found
