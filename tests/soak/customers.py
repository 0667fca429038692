"""What customers do with what is theirs, beside buying."""

from collections.abc import Awaitable, Callable, Mapping

from app.domain.funding.ordering import Way, remove_source, reorder
from app.domain.identity.audit import Actor
from app.domain.issuing.cards_access import CUSTOMER
from app.domain.issuing.cards_moving import freeze_card, unfreeze_card
from app.domain.issuing.own_allowing import allow_own_once
from app.domain.issuing.states import CardState
from tests.situations import Holder, pay
from tests.soak.obstacles import OWN, against
from tests.soak.scene import Scene, one_of

LINKED = "SELECT id FROM funding_source WHERE state = 'active' AND customer_id = :id ORDER BY id"
CARD = "SELECT state, frozen_by FROM card WHERE id = :id"
DECLINED = "SELECT id FROM card_authorization WHERE stripe_authorization_id = :name"


async def remove_linked(scene: Scene, pick: int) -> str | None:
    """Remove a linked card; it is refused where it carries what no other could."""
    holder = scene.holder(pick)
    source = one_of(await scene.product.rows(LINKED, id=holder.customer.id), pick)
    if source is None:
        return None
    parts = scene.product.parts
    now, actor = parts.clock.now(), _actor(holder)
    await remove_source(parts.sessions, holder.customer.id, source["id"], actor=actor, now=now)
    return str(source["id"])


async def put_first(scene: Scene, pick: int) -> str | None:
    """Have another linked card charged first."""
    holder = scene.holder(pick)
    source = one_of(await scene.product.rows(LINKED, id=holder.customer.id), pick)
    if source is None:
        return None
    sessions = scene.product.parts.sessions
    await reorder(sessions, holder.customer.id, source["id"], Way.FIRST, _actor(holder))
    return str(source["id"])


async def freeze_own(scene: Scene, pick: int) -> str | None:
    """Freeze a card of one's own, or thaw it again."""
    card = scene.card(pick)
    holder = next(one for one in scene.holders if card in one.cards)
    [row] = await scene.product.rows(CARD, id=card.id)
    async with scene.product.parts.sessions.begin() as session:
        if row["state"] == CardState.ACTIVE:
            await freeze_card(session, card.id, actor=_actor(holder))
        else:
            await unfreeze_card(session, card.id, actor=_actor(holder))
    return f"{card.stripe_card_id} was {row['state']}"


async def allow_own(scene: Scene, pick: int) -> str | None:
    """Let pass once what a setting of one's own has declined, while it is still set."""
    card, kind = scene.card(pick), OWN[pick % len(OWN)]
    holder = next(one for one in scene.holders if card in one.cards)
    parts = scene.product.parts
    async with against(scene, kind, card):
        refused = await pay(scene.product, card, 1_000)
        if "id" not in refused:
            return None
        scene.bought.append(refused["id"])
        ours = await scene.product.rows(DECLINED, name=refused["id"])
        if not ours or refused["approved"]:
            return None
        now = parts.clock.now()
        async with parts.sessions.begin() as session:
            await allow_own_once(
                session, holder.customer.id, ours[0]["id"], actor=_actor(holder), now=now
            )
        again = await pay(scene.product, card, 1_000)
        if "id" in again:
            scene.bought.append(again["id"])
    return f"{again.get('id')} approved={again.get('approved')}"


CUSTOMERS: Mapping[str, Callable[[Scene, int], Awaitable[str | None]]] = {
    "remove a linked card": remove_linked,
    "put a linked card first": put_first,
    "freeze or thaw their own": freeze_own,
    "allow their own once": allow_own,
}


def _actor(holder: Holder) -> Actor:
    return Actor(CUSTOMER, holder.customer.id, "127.0.0.1")
