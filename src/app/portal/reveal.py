"""The key with which the customer's browser shows a card's number; the answer is for its script."""

from uuid import UUID

import stripe
import structlog
from litestar import Response, post
from litestar.params import FromPath

from app.adapters.stripe_reveal import StripeCardKeys
from app.domain.identity.sign_in import TooManyAttempts
from app.domain.issuing.showing import CannotShow, show_card
from app.portal.visits import ForCustomer, ForForm, ForPerson, ForVisit

log = structlog.get_logger()

SILENT = "Stripe does not answer at the moment. Try again in a minute."


@post("/cards/{card_id:uuid}/reveal", include_in_schema=False)
async def send_reveal(
    visit: ForVisit,
    person: ForPerson,
    customer_id: ForCustomer,
    form: ForForm,
    card_id: FromPath[UUID],
) -> Response[dict[str, str]]:
    """Exchange the browser's nonce for the key of one card of the customer's own."""
    if not person.gave_password(visit.now):
        again = f"/password-again?next=/cards/{card_id}%3Freveal=1"
        return Response({"password": again}, status_code=403)
    keys = StripeCardKeys(visit.parts.stripe.other)
    try:
        secret = await show_card(
            visit.parts.sessions,
            keys,
            (customer_id, card_id),
            form.text("nonce"),
            actor=visit.actor,
            now=visit.now,
        )
    except TooManyAttempts as refusal:
        wait = {"Retry-After": str(refusal.seconds)}
        return Response({"problem": str(refusal)}, status_code=429, headers=wait)
    except CannotShow as refusal:
        return Response({"problem": str(refusal)}, status_code=refusal.status_code)
    except (stripe.StripeError, OSError):
        log.exception("key_unanswered")
        return Response({"problem": SILENT}, status_code=503)
    return Response({"secret": secret}, status_code=200)
