"""The eight purchases of the demo, each told from what Stripe and the product answered."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.models import AuthorizationRequest, Card
from app.money import readable
from local_stack.demo_people import NO_FUNDS
from local_stack.demo_scene import Scene, until
from local_stack.merchant import INTENTS
from local_stack.refusal import Failure

LATE_MS = 2_000
"""Later than we wait for a linked card, sooner than the repair looks."""
MERCHANT = "Blue Bottle"
BAR = "drinking_places"
Say = Callable[[str, str], None]


class Story:
    """Plays each purchase and says who did what, a line for each thing that happens.

    Raises Failure when a purchase is not answered as it has to be.
    """

    def __init__(self, scene: Scene, say: Say) -> None:
        self.scene = scene
        self.say = say
        self.first: dict[str, Any] = {}

    def chapters(self) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        return [
            ("A purchase is approved", self.approved),
            ("The linked card's bank says no", self.bank_declined),
            ("A control on the virtual card says no", self.control_declined),
            ("The network asks the same question again", self.repeated),
            ("A merchant only checks the card", self.zero),
            ("A merchant wants more on the same purchase", self.incremented),
            ("The linked card's bank is too slow", self.too_slow),
            ("A merchant takes its purchase back", self.reversed),
        ]

    async def approved(self) -> None:
        self.first = await self._pay(1999)

    async def bank_declined(self) -> None:
        """Let the linked card behave for one purchase like Stripe's test card without funds."""
        method = self.scene.payment_method
        await self.scene.controls.behave_like(method, NO_FUNDS)
        try:
            await self._pay(4200, approved=False)
        finally:
            await self.scene.controls.call(
                "POST", f"payment_methods/{method}/behaves_like", {"token": None}
            )

    async def control_declined(self) -> None:
        await self._pay(3500, "The Tipsy Pig", BAR, card=self.scene.no_bars, approved=False)

    async def repeated(self) -> None:
        """Deliver the first purchase's question once more, signed anew, as a network may."""
        name, history = self.first["id"], self.first["request_history"]
        before = len(await self.scene.charges(name))
        question = await self.scene.question(name)
        self.say(
            "network",
            f"asks again about {MERCHANT}'s {readable(history[0]['amount'])}: the same event",
        )
        began = time.monotonic()
        told = await self.scene.deliver_again(question)
        took = (time.monotonic() - began) * 1000
        same = "as before" if told["approved"] == history[0]["approved"] else "other than before"
        self.say("answer", f"{_word(approved=told['approved'])} in {took:.0f} ms, {same}")
        after = len(await self.scene.charges(name))
        self.say("Stripe", f"lists {before} charge for it before, and {after} after")

    async def zero(self) -> None:
        await self._pay(0, "Netflix", "digital_goods_media")

    async def incremented(self) -> None:
        made = await self._pay(3000, "Yellow Cab", "taxicabs_limousines")
        self.say("merchant", f"Yellow Cab asks for {readable(1000)} more")
        more = await self.scene.merchants.then(made["id"], "increment", increment_amount=1000)
        await self._tell(more, approved=True)

    async def too_slow(self) -> None:
        """Let the charge take effect after our deadline, and watch the repair undo it."""
        fault = {"method": "POST", "path": INTENTS, "action": "delay", "delay_ms": LATE_MS}
        await self.scene.controls.call("POST", "faults", fault)
        self.say("fault", f"the next charge will take Stripe {LATE_MS} ms")
        began = time.monotonic()
        made = await self._pay(5500, approved=False)
        word = made["request_history"][-1]["reason"]
        in_time = "in time" if word == "webhook_declined" else "too late"
        self.say("Stripe", f"notes {word}: our answer came {in_time}")
        name = made["id"]
        await until(lambda: self._are_live(name, wanted=True), "the late charge is there")
        [late] = await self.scene.charges(name)
        seconds = time.monotonic() - began
        self.say("Stripe", f"{await self._put(late)} after {seconds:.1f} s, though we had declined")
        await until(lambda: self._are_live(name, wanted=False), "the late charge is undone")
        seconds = time.monotonic() - began
        self.say("repair", f"found and {await self._undone(name)} it after {seconds:.1f} s")

    async def reversed(self) -> None:
        made = await self._pay(2400)
        name = made["id"]
        self.say("merchant", f"{MERCHANT} reverses it")
        began = time.monotonic()
        await self.scene.merchants.then(name, "reverse")
        await until(lambda: self._are_live(name, wanted=False), "the charge is undone")
        took = (time.monotonic() - began) * 1000
        [charge] = await self.scene.charges(name)
        undone = await self._undone(name)
        self.say("we", f"{undone} the {readable(charge['amount'])} {took:.0f} ms later")

    async def _pay(
        self,
        amount_minor: int,
        merchant: str = MERCHANT,
        category: str = "fast_food_restaurants",
        *,
        card: Card | None = None,
        approved: bool = True,
    ) -> dict[str, Any]:
        """Have a merchant ask for an amount, and tell how it was answered."""
        card = card or self.scene.everyday
        asked = f"{merchant} asks virtual card {card.last4} for {readable(amount_minor)}"
        self.say("merchant", asked)
        made = await self.scene.merchants.pay(card.stripe_card_id, amount_minor, merchant, category)
        await self._tell(made, approved=approved)
        return made

    async def _tell(self, made: dict[str, Any], *, approved: bool) -> None:
        """Say what was put on the linked card or why not, and how long the answer took."""
        history = made["request_history"]
        ordinal, outcome = len(history) - 1, history[-1]
        noted = await self.scene.request(made["id"], ordinal)
        charges = [
            charge
            for charge in await self.scene.live_charges(made["id"])
            if charge["metadata"]["request"] == str(ordinal)
        ]
        for charge in charges:
            fee = readable(charge["amount"] - outcome["amount"])
            self.say("we", f"{await self._put(charge)}, {fee} of it our fee")
        waited = (await self.scene.question(made["id"]))["duration_ms"]
        answer = _word(approved=outcome["approved"])
        self.say("answer", f"{answer} in {waited:.0f} ms{_ours(noted)}")
        if noted is not None and noted.reason is not None:
            self.say("because", EXPLANATIONS[noted.reason].short)
        elif outcome["approved"] and not charges:
            self.say("because", "there is nothing to pay, so nothing was put on the linked card")
        if outcome["approved"] is not approved:
            due = _word(approved=approved)
            raise Failure(f"This purchase was to be {due}; Stripe says {outcome['reason']}.")

    async def _put(self, charge: dict[str, Any]) -> str:
        word = "held" if charge["status"] == "requires_capture" else "charged"
        card = await self.scene.linked_card(charge["payment_method"])
        return f"{word} {readable(charge['amount'])} on {card}"

    async def _undone(self, authorization: str) -> str:
        """Say how a charge was undone, by its status at Stripe."""
        [charge] = await self.scene.charges(authorization)
        return "released" if charge["status"] == "canceled" else "refunded"

    async def _are_live(self, authorization: str, *, wanted: bool) -> bool:
        return bool(await self.scene.live_charges(authorization)) is wanted


def _word(*, approved: bool) -> str:
    return "approved" if approved else "declined"


def _ours(noted: AuthorizationRequest | None) -> str:
    """Say how much of the time was ours: all but the wait for the linked card."""
    if noted is None or "total" not in noted.step_ms:
        return ""
    steps = noted.step_ms
    return f", {steps['total'] - steps.get('hold', 0.0):.0f} ms of it ours"
