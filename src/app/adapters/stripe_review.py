"""How a cardholder stands at Stripe."""

import msgspec
import stripe

from app.domain.issuing.review import Review, Standing

_REJECTED = frozenset({"rejected.listed", "listed"})


class Requirements(msgspec.Struct):
    disabled_reason: str | None = None
    past_due: list[str] | None = None


class Cardholder(msgspec.Struct):
    """The fields of a cardholder that we read."""

    status: str
    requirements: Requirements


async def standing_of(client: stripe.StripeClient, stripe_cardholder_id: str) -> Standing:
    """Ask whether the issuer lets a cardholder have cards."""
    path = f"/v1/issuing/cardholders/{stripe_cardholder_id}"
    told = msgspec.convert((await client.raw_request_async("get", path)).data, Cardholder)
    reason, lacks = told.requirements.disabled_reason, told.requirements.past_due or []
    if told.status == "blocked" or reason in _REJECTED:
        return Standing(Review.REJECTED)
    if lacks:
        return Standing(Review.WANTS_MORE, lacks)
    return Standing(Review.UNDER_REVIEW if reason == "under_review" else Review.GOOD)
