"""What Stripe approved and no linked card was charged with, or not with all of it. Pure."""

from collections.abc import Sequence

from app.domain.funding.models import Charge
from app.domain.funding.states import LIVE_CHARGES, ChargeState
from app.domain.issuing.models import AuthorizationRequest

NOBODY_CHARGED = "approved by Stripe and no linked card took the charge: nobody has paid yet"
HOLD_GONE = "its hold is gone at Stripe and the purchase is open: no linked card is sure to pay"
TOO_LITTLE_CHARGED = "approved by Stripe for more than a linked card took: the rest is not paid yet"


def is_short(request: AuthorizationRequest, charge: Charge) -> bool:
    """Say whether a charge of a request is for less than was approved of it."""
    return charge.principal_minor < (request.approved_minor or 0)


def nobody_charged(
    requests: Sequence[AuthorizationRequest], charges: Sequence[Charge]
) -> str | None:
    """Say so when an approved and verified request of an open purchase is not paid by a charge."""
    for request in requests:
        if request.stripe_approved and request.verified_at and request.amount_minor > 0:
            own = [charge for charge in charges if charge.request_id == request.id]
            paying = [charge for charge in own if _pays(charge)]
            if not paying:
                return HOLD_GONE if own and _is_gone(own[-1]) else NOBODY_CHARGED
            if all(is_short(request, charge) for charge in paying):
                return TOO_LITTLE_CHARGED
    return None


def _pays(charge: Charge) -> bool:
    """Whether a charge holds or has taken money; one that was given back elsewhere has, too."""
    return charge.state in (*LIVE_CHARGES, ChargeState.REFUNDED) and not charge.undone


def _is_gone(charge: Charge) -> bool:
    return charge.state is ChargeState.CANCELED and charge.stripe_payment_intent_id is not None
