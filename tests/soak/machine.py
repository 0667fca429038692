"""The whole product as a state machine: everything that customers, merchants, banks, staff do."""

from collections.abc import Awaitable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition

from app.errors import AppError
from tests.situations import LATER_DECLINES, VISA
from tests.soak import merchants, others
from tests.soak.acts import ACTS, CUSTOMERS, DEBTS, PAYING_BACK, REFUNDS, STAFF
from tests.soak.checks import look
from tests.soak.counted import counted
from tests.soak.obstacles import KINDS, buy_against
from tests.soak.scene import MERCHANTS, Scene
from tests.soak.stage import Stage

PICKS = st.integers(0, 11)
AMOUNTS = st.sampled_from((0, 1, 49, 50, 51, 999, 1999, 10_000)) | st.integers(1, 60_000)
NAMES = st.sampled_from(MERCHANTS)
PAYING = (VISA, "pm_card_mastercard", "pm_card_pendingRefund", "pm_card_refundFail")
REFUSING = (
    LATER_DECLINES,
    *("pm_card_visa_chargeDeclinedInsufficientFunds", "pm_card_visa_chargeDeclinedLostCard"),
    *("pm_card_chargeDeclinedExpiredCard", "pm_card_authenticationRequired"),
)
HALF_AS_LONG_AS_EVENTS_ARE_KEPT = 15
PARTS = st.none() | st.integers(1, 30_000)

pending = precondition(lambda self: self.scene.purchases("pending"))
ended = precondition(lambda self: self.scene.purchases("expired", "closed"))
captured = precondition(lambda self: self.scene.transactions("capture"))
given_back = precondition(lambda self: self.scene.transactions("refund"))
refused = precondition(
    lambda self: self.scene.purchases("closed", approved=False) + self.scene.purchases("reversed")
)


class Purchases(RuleBasedStateMachine):
    """Run by a subclass that has a stage."""

    stage: Stage

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []
        self.failed = False
        stage = self.stage
        stage.examples += 1
        self.scene = Scene(stage.product, stage.worker, stage.next_customer, stage.office)
        self.late = self.lossy = False
        self.crashes = 0

    @initialize(amount=st.integers(51, 20_000), merchant=NAMES)
    def begins(self, amount: int, merchant: str) -> None:
        self.do("a customer", self.scene.new_customer(VISA, 1))
        self.do(f"buys {amount}", self.bought(0, amount, merchant))

    def do(self, what: str, step: Awaitable[Any]) -> Any:
        """Take a step; what cannot be done is no violation, what breaks is."""
        try:
            came = self.stage.run(step)
        except BaseException as error:
            self.told.append(f"{what} -> broke")
            self.failed = True
            error.add_note("\n".join(["What happened:", *self.told]))
            self.stage.violated(error)
            raise
        self.told.append(f"{what} -> {came}" if isinstance(came, str) else what)
        return came

    # Customers.

    @precondition(lambda self: len(self.scene.holders) < 3)
    @counted(token=st.sampled_from(PAYING + REFUSING), cards=st.integers(1, 2))
    def customer(self, token: str, cards: int) -> None:
        self.do(f"a customer with {token}", self.scene.new_customer(token, cards))

    @precondition(lambda self: any(len(one.sources) < 3 for one in self.scene.holders))
    @counted(pick=PICKS)
    def links(self, pick: int) -> None:
        self.do("links another card", self.scene.link(pick))

    @counted(pick=PICKS, amount=AMOUNTS, merchant=NAMES, less=st.booleans())
    def buys(self, pick: int, amount: int, merchant: str, less: bool) -> None:  # noqa: FBT001
        more = {"is_amount_controllable": "true"} if less else {}
        self.do(f"buys {amount}", self.bought(pick, amount, merchant, **more))

    @counted(pick=PICKS, amount=st.integers(100, 20_000), merchant=NAMES)
    def buys_again(self, pick: int, amount: int, merchant: str) -> None:
        self.do(f"buys {amount}", self.bought(pick, amount, merchant))

    async def bought(self, pick: int, amount: int, merchant: str, **more: str) -> str:
        made = await self.scene.buy(pick, amount, merchant, **more)
        return f"{made['id']} approved={made['approved']}"

    @counted(pick=PICKS, kind=st.sampled_from(KINDS), amount=st.integers(51, 20_000))
    def buys_against(self, pick: int, kind: str, amount: int) -> None:
        self.do(f"buys {amount} against {kind}", buy_against(self.scene, kind, pick, amount))

    @counted(picks=st.lists(st.tuples(PICKS, st.sampled_from(KINDS)), min_size=2, max_size=3))
    def buys_against_all(self, picks: list[tuple[int, str]]) -> None:
        for pick, kind in picks:
            self.buys_against(pick, kind, 1999)

    # Merchants and networks.

    @pending
    @counted(pick=PICKS, amount=AMOUNTS)
    def asks_for_more(self, pick: int, amount: int) -> None:
        self.do(f"increment {amount}", merchants.increment(self.scene, pick, amount))

    @pending
    @counted(
        pick=PICKS,
        how=st.sampled_from(("exactly", "less", "more", "tenfold", "in part", "so much")),
        amount=AMOUNTS,
    )
    def captures(self, pick: int, how: str, amount: int) -> None:
        self.do(f"capture {how} {amount}", merchants.capture(self.scene, pick, how, amount))

    @ended
    @counted(pick=PICKS, amount=AMOUNTS)
    def captures_late(self, pick: int, amount: int) -> None:
        self.do(f"late capture {amount}", merchants.capture_late(self.scene, pick, amount))

    @pending
    @counted(pick=PICKS, whole=st.booleans())
    def reverses(self, pick: int, whole: bool) -> None:  # noqa: FBT001
        self.do(f"reverse whole={whole}", merchants.reverse(self.scene, pick, whole=whole))

    @pending
    @counted(pick=PICKS)
    def expires(self, pick: int) -> None:
        self.do("expire", merchants.expire(self.scene, pick))

    @pending
    @counted(pick=PICKS, amount=AMOUNTS)
    def says_what_it_came_to(self, pick: int, amount: int) -> None:
        self.do(f"final amount {amount}", merchants.finalize(self.scene, pick, amount))

    @counted(pick=PICKS, amount=AMOUNTS, merchant=NAMES)
    def takes_unasked(self, pick: int, amount: int, merchant: str) -> None:
        self.do(f"force {amount}", merchants.take_unasked(self.scene, pick, amount, merchant))

    @refused
    @counted(pick=PICKS, amount=AMOUNTS)
    def takes_after_no(self, pick: int, amount: int) -> None:
        self.do(f"take after no {amount}", merchants.take_after_no(self.scene, pick, amount))

    @captured
    @counted(pick=PICKS, amount=PARTS)
    def gives_back(self, pick: int, amount: int | None) -> None:
        self.do(f"refund {amount}", merchants.give_back(self.scene, pick, amount))

    @counted(pick=PICKS, amount=AMOUNTS, merchant=NAMES)
    def gives_unasked(self, pick: int, amount: int, merchant: str) -> None:
        step = merchants.give_unasked(self.scene, pick, amount, merchant)
        self.do(f"unlinked refund {amount}", step)

    @captured
    @counted(pick=PICKS, all_of_it=st.booleans())
    def gives_back_again(self, pick: int, all_of_it: bool) -> None:  # noqa: FBT001
        part = None if all_of_it else 25
        self.do(f"refund {part}", merchants.give_back(self.scene, pick, part))

    @given_back
    @counted(pick=PICKS, amount=PARTS)
    def takes_back(self, pick: int, amount: int | None) -> None:
        self.do(f"take refund back {amount}", merchants.take_back(self.scene, pick, amount))

    @precondition(lambda self: not self.late and not self.lossy)
    @counted(pick=PICKS)
    def takes_back_with_fee(self, pick: int) -> None:
        step = merchants.take_back_with_fee(self.scene, pick)
        self.do("take a refund back with our fee", step)

    # Banks, time, staff.

    @counted(pick=PICKS, token=st.sampled_from(REFUSING) | st.sampled_from(PAYING))
    def bank_changes(self, pick: int, token: str) -> None:
        self.do(f"bank behaves like {token}", others.bank_changes(self.scene, pick, token))

    @counted(pick=PICKS, token=st.sampled_from((LATER_DECLINES, VISA)))
    def all_banks_change(self, pick: int, token: str) -> None:
        step = others.all_banks_change(self.scene, pick, token)
        self.do(f"all banks behave like {token}", step)

    @counted(days=st.sampled_from((1, 3, 6, 8, 31)))
    def days_pass(self, days: int) -> None:
        while days > 0:
            if self.lossy:
                # The job runs every hour, and Stripe keeps events for thirty days only.
                self.do("lost events are found", others.find_events(self.scene))
                others.lose_events(self.scene)
            some = min(days, HALF_AS_LONG_AS_EVENTS_ARE_KEPT) if self.lossy else days
            self.do(f"{some} days pass", others.days_pass(self.scene, some))
            days -= some

    async def asked(self, act: str, pick: int) -> str | None:
        """Have somebody do something; it may be refused, where the product was quicker."""
        try:
            came = await ACTS[act](self.scene, pick)
        except AppError as error:
            return f"refused: {error}"
        if came is not None and not came.startswith("refused"):
            self.stage.coverage.seen[f"act · {act}"] += 1
        return came

    @counted(pick=PICKS, act=st.sampled_from(tuple(CUSTOMERS)))
    def customer_acts(self, pick: int, act: str) -> None:
        self.do(act, self.asked(act, pick))

    @counted(pick=PICKS, act=st.sampled_from(tuple(STAFF)))
    def staff_act(self, pick: int, act: str) -> None:
        self.do(act, self.asked(act, pick))

    @precondition(lambda self: self.scene.taken_unasked or self.scene.transactions("capture"))
    @counted(pick=PICKS, act=st.sampled_from(tuple(DEBTS)))
    def staff_look_after_debts(self, pick: int, act: str) -> None:
        self.do(act, self.asked(act, pick))

    @captured
    @counted(pick=PICKS, act=st.sampled_from(tuple(REFUNDS)))
    def staff_give_money_back(self, pick: int, act: str) -> None:
        self.do(act, self.asked(act, pick))

    @captured
    @counted(pick=PICKS, act=st.sampled_from(tuple(PAYING_BACK)))
    def banks_send_back(self, pick: int, act: str) -> None:
        self.do(act, self.asked(act, pick))

    @counted(pick=PICKS)
    def staff_look_after_refunds(self, pick: int) -> None:
        self.do("assign a refund", self.asked("assign a refund", pick))

    @counted(amount=st.integers(10_000, 500_000))
    def tops_up(self, amount: int) -> None:
        self.do(f"top up {amount}", others.top_up(self.scene, amount))

    # Machines.

    @precondition(lambda self: self.crashes < 1)
    @counted()
    def worker_crashes(self) -> None:
        self.crashes += 1
        self.do("the worker crashes", self.scene.worker.crash())

    @counted(pick=PICKS)
    def events_come_again(self, pick: int) -> None:
        self.do("events come again", others.tell_again(self.scene, pick))

    @precondition(lambda self: not self.lossy)
    @counted()
    def events_are_late(self) -> None:
        if self.late:
            self.do("late events come", others.release_events(self.scene))
        else:
            others.hold_events(self.scene)
            self.told.append("events are held back")
        self.late = not self.late

    @precondition(lambda self: not self.late)
    @counted()
    def events_are_lost(self) -> None:
        if self.lossy:
            self.do("lost events are found", others.find_events(self.scene))
        else:
            others.lose_events(self.scene)
            self.told.append("events are lost from now on")
        self.lossy = not self.lossy

    @counted(now=st.integers(0, 4))
    def look(self, now: int) -> None:
        if now == 0:
            self.ends()

    def ends(self) -> None:
        if self.late:
            self.events_are_late()
        if self.lossy:
            self.events_are_lost()
        self.do("look", look(self.scene))

    def teardown(self) -> None:
        """Look at the end of an example; a product that is wrong is of no use to the next."""
        try:
            if not self.failed:
                self.ends()
        finally:
            if self.failed:
                self.stage.discard()
