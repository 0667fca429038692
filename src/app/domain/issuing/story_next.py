"""What a merchant can do next on a purchase, where money is not real. Pure."""

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from app.domain.issuing.models import CardTransaction
from app.domain.issuing.states import AuthorizationState, TransactionKind
from app.domain.issuing.story import Story
from app.errors import AppError
from app.money import parse_amount, readable


class MerchantStep(StrEnum):
    """FINALIZE: say what a fuel pump's purchase came to. FORCE: capture what was not approved."""

    CAPTURE = "capture"
    INCREMENT = "increment"
    REVERSE = "reverse"
    EXPIRE = "expire"
    FINALIZE = "finalize_amount"
    REFUND = "refund"
    TAKE_BACK = "reverse_refund"
    FORCE = "force_capture"


class AmountMissing(AppError, status=422):
    """The step wants an amount."""


class NotNow(AppError, status=409):
    """The purchase does not allow this step, or no longer."""


class Amount(StrEnum):
    """Whether a step takes an amount: without an optional one it is about all there is."""

    OPTIONAL = "optional"
    WANTED = "wanted"
    NONE = "none"


class NextStep(msgspec.Struct, frozen=True):
    """A step that is possible now. `subjects`: Stripe's ids it can be about, each in words."""

    step: MerchantStep
    title: str
    amount: Amount
    subjects: list[tuple[str, str]]


_ON_OPEN = (
    (MerchantStep.CAPTURE, "Capture", Amount.OPTIONAL),
    (MerchantStep.INCREMENT, "Increment", Amount.WANTED),
    (MerchantStep.REVERSE, "Reverse", Amount.OPTIONAL),
    (MerchantStep.FINALIZE, "Finalize amount", Amount.WANTED),
    (MerchantStep.EXPIRE, "Let expire", Amount.NONE),
)

_WANTED = {MerchantStep.INCREMENT: "An increment", MerchantStep.FINALIZE: "The final amount"}


def next_steps(story: Story, *, simulated: bool) -> list[NextStep]:
    """Give what can be done next; what Stripe itself has no helper for only where it is simulated.

    A hold that has lapsed can be captured all the same.
    """
    return list(_steps(story, simulated=simulated))


def subject_of(story: Story, step: MerchantStep, wanted: str, *, simulated: bool) -> str:
    """Give Stripe's id of what a step is about: the one wanted, or the newest. Raises NotNow."""
    possible = [one for one in next_steps(story, simulated=simulated) if one.step is step]
    names = [name for one in possible for name, _ in one.subjects]
    if not names or wanted not in ("", *names):
        state = "a forced capture" if story.purchase.forced else story.purchase.state.value
        answer = "" if story.purchase.approved else "declined and "
        raise NotNow(f"This cannot be done now: the purchase is {answer}{state}.")
    return wanted or names[-1]


def read_amount(step: MerchantStep, typed: str) -> int | None:
    """Read a step's amount; an empty one is all there is.

    Raises AmountMissing and UnreadableAmount.
    """
    if step is MerchantStep.EXPIRE:
        return None
    if typed:
        return parse_amount(typed)
    if step in _WANTED:
        raise AmountMissing(f"{_WANTED[step]} wants an amount, like 5.00")
    return None


def _steps(story: Story, *, simulated: bool) -> Iterator[NextStep]:
    purchase = story.purchase
    whole = [(purchase.stripe_authorization_id, "the purchase")]
    if not purchase.forced:
        if purchase.approved and purchase.state is AuthorizationState.PENDING:
            for step, title, amount in _ON_OPEN:
                yield NextStep(step, title, amount, whole)
        elif purchase.approved and purchase.state is AuthorizationState.EXPIRED:
            yield NextStep(MerchantStep.CAPTURE, "Capture", Amount.OPTIONAL, whole)
        elif simulated and (
            purchase.approved is False or purchase.state is AuthorizationState.REVERSED
        ):
            yield NextStep(MerchantStep.FORCE, "Force a capture", Amount.OPTIONAL, whole)
    captures = [_named(one) for one in story.transactions if one.kind is TransactionKind.CAPTURE]
    if captures:
        yield NextStep(MerchantStep.REFUND, "Refund", Amount.OPTIONAL, captures)
    refunds = [
        _named(one)
        for one in story.transactions
        if one.kind is TransactionKind.REFUND and one.amount_minor > 0
    ]
    if refunds and simulated:
        title = "Take a refund back"
        yield NextStep(MerchantStep.TAKE_BACK, title, Amount.OPTIONAL, refunds)


def _named(one: CardTransaction) -> tuple[str, str]:
    told = f"{one.kind} of {readable(abs(one.amount_minor))}, {one.occurred_at:%Y-%m-%d}"
    return (one.stripe_transaction_id, told)
