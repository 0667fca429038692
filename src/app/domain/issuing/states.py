"""The lives of a card, an authorization and a request about it."""

from enum import StrEnum

from app.domain.states import complete


class CardState(StrEnum):
    INACTIVE = "inactive"
    ACTIVE = "active"
    FROZEN = "frozen"
    CLOSED = "closed"


CARD_MOVES = complete(
    {
        CardState.INACTIVE: {CardState.ACTIVE, CardState.CLOSED},
        CardState.ACTIVE: {CardState.FROZEN, CardState.CLOSED},
        CardState.FROZEN: {CardState.ACTIVE, CardState.CLOSED},
        CardState.CLOSED: set(),
    },
    CardState,
)


class AuthorizationState(StrEnum):
    """Stripe's own status. An expired authorization can still be captured, a reversed one cannot.

    Source: https://docs.stripe.com/issuing/purchases/authorizations
    """

    PENDING = "pending"
    CLOSED = "closed"
    REVERSED = "reversed"
    EXPIRED = "expired"


# Stripe's word is followed wherever it goes: one that has ended can be open again, and what came in
# between may be over before we look.
AUTHORIZATION_MOVES = complete(
    {state: set(AuthorizationState) - {state} for state in AuthorizationState},
    AuthorizationState,
)


class RequestState(StrEnum):
    """What we answered to one question from Stripe."""

    DECIDING = "deciding"
    APPROVED = "approved"
    DECLINED = "declined"


REQUEST_MOVES = complete(
    {
        RequestState.DECIDING: {RequestState.APPROVED, RequestState.DECLINED},
        RequestState.APPROVED: set(),
        RequestState.DECLINED: set(),
    },
    RequestState,
)


class TransactionKind(StrEnum):
    CAPTURE = "capture"
    REFUND = "refund"
