"""Declines that Stripe made without asking us, in words.

Source: https://docs.stripe.com/issuing/purchases/authorizations#authorization-handling
"""

from collections.abc import Mapping

from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.explanation import Decider, Explanation

_NOT_CHARGED = "Your linked card has not been charged."


def _stripe(
    short: str,
    customer: str,
    staff: str,
    next_step: str,
    *,
    by: Decider = Decider.STRIPE,
    retry_sensible: bool = False,
) -> Explanation:
    return Explanation(
        short=short,
        customer=f"{customer} {_NOT_CHARGED}",
        staff=staff,
        next_step=next_step,
        decided_by=by,
        retry_sensible=retry_sensible,
    )


STRIPES: Mapping[DeclineReason, Explanation] = {
    DeclineReason.STRIPE_DECLINED: _stripe(
        "declined by Stripe without asking us",
        "The card network declined before asking us.",
        "Stripe declined before its question, for a reason of its own that is beside this one.",
        "Look Stripe's reason up in its documentation of authorizations.",
    ),
    DeclineReason.STRIPE_FLOAT_EMPTY: _stripe(
        "our Issuing balance is empty",
        "A temporary problem on our side.",
        "Stripe declined before its question, because our prefunded Issuing balance, the float,"
        " does not cover the amount (insufficient_funds).",
        "Top up the Issuing balance at Stripe; every card declines until then.",
        by=Decider.US,
        retry_sensible=True,
    ),
    DeclineReason.STRIPE_SPENDING_CONTROL: _stripe(
        "over a limit mirrored at Stripe",
        "The amount is over a limit of this card.",
        "The card's limits are kept at Stripe too, as a second wall; one of them refused it"
        " (spending_controls).",
        "Raise the limit on the card, or wait until it resets.",
        by=Decider.CUSTOMER,
    ),
    DeclineReason.STRIPE_CARD_NOT_ACTIVE: _stripe(
        "card not active at Stripe",
        "This card is not active.",
        "The card is inactive, canceled or expired at Stripe.",
        "Compare the card's state here and at Stripe; unfreeze it or open a new one.",
        by=Decider.CUSTOMER,
    ),
    DeclineReason.STRIPE_CARDHOLDER_NOT_ACTIVE: _stripe(
        "cardholder not active at Stripe",
        "Your account cannot make purchases at the moment.",
        "The cardholder is inactive or blocked at Stripe, or our Issuing account is disabled.",
        "Open the cardholder in Stripe's dashboard and read why.",
    ),
    DeclineReason.STRIPE_WANTS_IDENTITY: _stripe(
        "Stripe wants the customer's identity verified",
        "We need some more details from you before this card works.",
        "The cardholder lacks something Stripe requires (cardholder_verification_required).",
        "The customer completes the details that the cardholder lists as past due.",
    ),
    DeclineReason.STRIPE_DETAILS_WRONG: _stripe(
        "security code, expiry or address did not match",
        "The security code, expiry date or postcode that was entered did not match the card.",
        "Stripe's check of what the shopper entered failed (verification_failed); the"
        " authorization's verification data says which.",
        "Enter the card's details again, exactly as shown on the card's page.",
        by=Decider.MERCHANT,
        retry_sensible=True,
    ),
    DeclineReason.STRIPE_SUSPECTS_FRAUD: _stripe(
        "Stripe suspects fraud",
        "The card network stopped this to protect your card.",
        "Stripe's own risk check declined it (suspected_fraud).",
        "Ask the customer whether it was them; look at the card's other purchases.",
    ),
    DeclineReason.STRIPE_STAND_IN: _stripe(
        "the network declined while we could not be asked",
        "The card network answered for us and said no.",
        "Stripe or the network stood in, since our answer could not be had (network_fallback).",
        "Look whether we were reachable at that time.",
        retry_sensible=True,
    ),
    DeclineReason.STRIPE_ANSWER_UNUSABLE: _stripe(
        "our answer could not be used",
        "A temporary problem on our side.",
        "We answered in a form that Stripe does not take (webhook_error); its message is beside"
        " the request.",
        "Report it at once: nothing can be approved while it lasts.",
        by=Decider.US,
        retry_sensible=True,
    ),
}
