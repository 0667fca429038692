"""What one example has made: customers, their cards, and what was bought with them."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from app.domain.funding.models import FundingSource
from app.domain.issuing.control_models import DecisionRule
from app.domain.issuing.models import Card
from stripe_sandbox.world import World
from tests.product import Product
from tests.situations import VISA, Holder, behave, holder, link_token, pay
from tests.soak.desks import Office
from tests.soak.worker import Crashes
from tests.waiting import until

Object = dict[str, Any]
Thing = TypeVar("Thing")
LINKED = (VISA, "pm_card_mastercard", "pm_card_amex")
MERCHANTS = ("Blue Bottle", "Corner Shop", "Grand Hotel")
SOON_SECONDS = 5


class Scene:
    """Picks are numbers; which thing one means is said by what there is then."""

    def __init__(
        self,
        product: Product,
        worker: Crashes,
        next_customer: Callable[[], str],
        office: Office,
    ) -> None:
        self.product = product
        self.office = office
        self.worker = worker
        self.next_customer = next_customer
        self.holders: list[Holder] = []
        self.bought: list[str] = []
        self.taken_unasked: list[str] = []
        self.rules: list[DecisionRule] = []

    @property
    def world(self) -> World:
        assert self.product.sandbox is not None
        return self.product.sandbox.world

    @property
    def customers(self) -> list[UUID]:
        return [one.customer.id for one in self.holders]

    def holder(self, pick: int) -> Holder:
        return self.holders[pick % len(self.holders)]

    def card(self, pick: int) -> Card:
        cards = [card for one in self.holders for card in one.cards]
        return cards[pick % len(cards)]

    def source(self, pick: int) -> FundingSource:
        sources = [source for one in self.holders for source in one.sources]
        return sources[pick % len(sources)]

    def purchases(self, *statuses: str, approved: bool = True) -> list[Object]:
        """Give the purchases that Stripe has in one of these states."""
        found = (self.world.get("issuing.authorization", name) for name in self.bought)
        return [
            one for one in found if one["status"] in statuses and bool(one["approved"]) is approved
        ]

    def transactions(self, kind: str) -> list[Object]:
        """Give what merchants took, or gave back, on this example's cards, oldest first."""
        cards = {card.stripe_card_id for one in self.holders for card in one.cards}
        found = [one for one in self.world.find("issuing.transaction") if one["card"] in cards]
        return [one for one in reversed(found) if one["type"] == kind and _has_sign(one, kind)]

    def latest_events(self, count: int) -> Iterator[Any]:
        return islice(self.world.store.newest_first("event"), count)

    async def new_customer(self, token: str, cards: int, **controls: Any) -> None:
        made = await holder(self.product, email=self.next_customer(), cards=cards, **controls)
        self.holders.append(made)
        await behave(self.product, made.sources[0].stripe_payment_method_id, token)

    async def link(self, pick: int) -> str:
        able = [one for one in self.holders if len(one.sources) < len(LINKED)]
        whose = able[pick % len(able)]
        token = LINKED[len(whose.sources)]
        whose.sources.append(await link_token(self.product, whose.customer, token))
        return token

    async def buy(self, pick: int, amount: int, merchant: str, **more: Any) -> Object:
        made = await pay(self.product, self.card(pick), amount, merchant, **more)
        if "id" in made:
            self.bought.append(made["id"])
        return made

    async def rows(self, query: str) -> list[Object]:
        """Give what a query finds that names this example's customers."""
        return list(await self.product.rows(query, customers=self.customers))

    async def soon(self, query: str, *, than: int = 0) -> bool:
        """Wait a little until there are more rows; where events are late or lost, there are not."""

        async def is_there() -> bool:
            return len(await self.rows(query)) > than

        with suppress(AssertionError):
            await until(is_there, seconds=SOON_SECONDS)
        return await is_there()


def one_of(things: list[Thing], pick: int) -> Thing | None:
    return things[pick % len(things)] if things else None


def _has_sign(transaction: Object, kind: str) -> bool:
    return (transaction["amount"] < 0) is (kind == "capture")
