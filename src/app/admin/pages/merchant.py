"""What is common to playing the merchant: done once, settled at once, and on the trail."""

import re
import secrets
from typing import Any

import stripe
import structlog
from starlette.datastructures import FormData
from starlette.requests import Request

from app.admin.forms import text_field
from app.admin.pages.office_page import parts_of
from app.domain.identity.audit import record
from app.domain.issuing.models import Authorization
from app.domain.issuing.story import find_purchase
from app.errors import AppError

log = structlog.get_logger()

_ONCE = re.compile(r"[0-9a-f]{32}")


class StaleForm(AppError, status=422):
    """The form lacks the token that keeps it from being done twice."""


def new_once() -> str:
    """Give a token for one form: sent twice, it is still done once."""
    return secrets.token_hex(16)


def read_once(form: FormData) -> str:
    """Give the form's token. Raises StaleForm."""
    found = text_field(form, "once")
    if not _ONCE.fullmatch(found):
        raise StaleForm("This form is incomplete. Reload the page and try again.")
    return found


async def settle_and_record(
    request: Request, stripe_authorization_id: str, action: str, after: dict[str, Any] | None
) -> Authorization | None:
    """Settle what the merchant did, and write it on the trail; give the purchase's row.

    Stripe has done it by now, so a settlement that fails is left to Stripe's events. None when the
    row does not exist yet because of that.
    """
    parts = parts_of(request)
    try:
        await parts.settler.settle(stripe_authorization_id)
    except (AppError, stripe.StripeError) as error:
        log.warning("not_settled_at_once", error=type(error).__name__)
    async with parts.sessions.begin() as session:
        purchase = await find_purchase(session, stripe_authorization_id)
        if purchase is not None:
            name = f"test_purchase.{action}"
            record(session, request.state.actor, name, subject=purchase, after=after)
    return purchase
