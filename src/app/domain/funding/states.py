"""The lives of a linked card and of a charge on it."""

from enum import StrEnum

from app.domain.states import complete


class FundingMode(StrEnum):
    """What happens on the linked card when a purchase is approved."""

    HOLD = "hold"
    CHARGE = "charge"


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
        ChargeState.HELD: {ChargeState.CAPTURED, ChargeState.CANCELED},
        ChargeState.CAPTURED: {ChargeState.REFUNDED},
        ChargeState.CANCELED: set(),
        ChargeState.REFUNDED: set(),
    },
    ChargeState,
)
LIVE_CHARGES = frozenset({ChargeState.HELD, ChargeState.CAPTURED})
