"""The lives of a linked card, of its linking, and of a charge on it."""

from enum import StrEnum

from app.domain.states import complete


class FundingMode(StrEnum):
    """What happens on the linked card when a purchase is approved."""

    HOLD = "hold"
    CHARGE = "charge"


class ChargePurpose(StrEnum):
    """Why a linked card is charged.

    AUTHORIZATION: a decision asked for it. DIFFERENCE: merchants took more than was funded.
    REFUND_REVERSED: a merchant took back a refund that we had passed on. COLLECTION: a debt.
    """

    AUTHORIZATION = "authorization"
    DIFFERENCE = "difference"
    REFUND_REVERSED = "refund_reversed"
    COLLECTION = "collection"


class FundingSourceState(StrEnum):
    ACTIVE = "active"
    REMOVED = "removed"


FUNDING_SOURCE_MOVES = complete(
    {
        FundingSourceState.ACTIVE: {FundingSourceState.REMOVED},
        FundingSourceState.REMOVED: set(),
    },
    FundingSourceState,
)


class ChargeState(StrEnum):
    """UNKNOWN: sent, and no answer that can be relied on. The repair job finds out."""

    UNKNOWN = "unknown"
    DECLINED = "declined"
    HELD = "held"
    CAPTURED = "captured"
    CANCELED = "canceled"
    REFUNDED = "refunded"


CHARGE_MOVES = complete(
    {
        ChargeState.UNKNOWN: {
            ChargeState.DECLINED,
            ChargeState.HELD,
            ChargeState.CAPTURED,
            ChargeState.CANCELED,
            ChargeState.REFUNDED,
        },
        ChargeState.DECLINED: set(),
        # Somebody may take it and give it back at Stripe before we look.
        ChargeState.HELD: {ChargeState.CAPTURED, ChargeState.CANCELED, ChargeState.REFUNDED},
        ChargeState.CAPTURED: {ChargeState.REFUNDED},
        # Only what Stripe's list did not have when we looked: a list may show a charge late.
        ChargeState.CANCELED: {ChargeState.UNKNOWN},
        # A bank can send a refund back.
        ChargeState.REFUNDED: {ChargeState.CAPTURED},
    },
    ChargeState,
)
LIVE_CHARGES = frozenset({ChargeState.HELD, ChargeState.CAPTURED})


class RefundPurpose(StrEnum):
    """UNEARNED: more was taken than the purchase cost. MERCHANT_REFUND: a merchant gave back.

    GOODWILL: staff gave it, at our cost, until a merchant's refund covers it.
    """

    UNEARNED = "unearned"
    MERCHANT_REFUND = "merchant_refund"
    GOODWILL = "goodwill"


class RefundState(StrEnum):
    """SENDING: recorded, and not known to be at Stripe yet.

    Source: https://docs.stripe.com/api/refunds/object, `status`
    """

    SENDING = "sending"
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


REFUND_MOVES = complete(
    {
        RefundState.SENDING: {RefundState.PENDING, RefundState.SUCCEEDED, RefundState.FAILED},
        RefundState.PENDING: {RefundState.SUCCEEDED, RefundState.FAILED},
        # A bank can send it back up to thirty days later.
        RefundState.SUCCEEDED: {RefundState.FAILED},
        RefundState.FAILED: set(),
    },
    RefundState,
)


class ReceivableState(StrEnum):
    """SETTLED: merchants gave back what was owed. RECOVERED: collected after it was written off.

    PAID_OUTSIDE: the customer paid it to our bank account, before that or after.
    """

    OPEN = "open"
    SETTLED = "settled"
    COLLECTED = "collected"
    WRITTEN_OFF = "written_off"
    RECOVERED = "recovered"
    PAID_OUTSIDE = "paid_outside"


RECEIVABLE_MOVES = complete(
    {
        ReceivableState.OPEN: {
            ReceivableState.SETTLED,
            ReceivableState.COLLECTED,
            ReceivableState.WRITTEN_OFF,
            ReceivableState.PAID_OUTSIDE,
        },
        ReceivableState.SETTLED: set(),
        ReceivableState.COLLECTED: set(),
        ReceivableState.WRITTEN_OFF: {ReceivableState.RECOVERED, ReceivableState.PAID_OUTSIDE},
        ReceivableState.RECOVERED: set(),
        ReceivableState.PAID_OUTSIDE: set(),
    },
    ReceivableState,
)


class LinkingState(StrEnum):
    """STARTED: asked for, and the bank has not said yes yet."""

    STARTED = "started"
    LINKED = "linked"
    REFUSED = "refused"


LINKING_MOVES = complete(
    {
        LinkingState.STARTED: {LinkingState.LINKED, LinkingState.REFUSED},
        LinkingState.LINKED: set(),
        LinkingState.REFUSED: set(),
    },
    LinkingState,
)
