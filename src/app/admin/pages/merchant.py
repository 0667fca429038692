"""What is common to playing the merchant: done once, settled at once, and on the trail."""

import re
import secrets
from typing import Any

import stripe
import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData
from starlette.requests import Request

from app.adapters.stripe_test_helpers import StripeTestHelpers
from app.admin.forms import text_field
from app.admin.pages.office_page import parts_of
from app.domain.identity.audit import record
from app.domain.issuing.models import Authorization, CardTransaction
from app.domain.issuing.settle import TRANSACTION
from app.domain.issuing.story import find_purchase
from app.domain.issuing.unlinked import UnlinkedTransactions
from app.errors import AppError
from app.parts import Parts

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


def helpers_of(request: Request) -> StripeTestHelpers:
    parts = parts_of(request)
    return StripeTestHelpers(parts.stripe.other, parts.settings.sandbox_url)


async def settle_and_record(
    request: Request, stripe_id: str, action: str, after: dict[str, Any] | None
) -> Authorization | None:
    """Settle what the merchant did, and write it on the trail; give the purchase's row.

    `stripe_id`: the authorization, or the transaction where the merchant did without. Stripe has
    done it by now, so a settlement that fails is left to Stripe's events. None when the row does
    not exist yet because of that, or when a refund belongs to no purchase.
    """
    parts = parts_of(request)
    try:
        await _settle(parts, stripe_id)
    except (AppError, stripe.StripeError) as error:
        log.warning("not_settled_at_once", error=type(error).__name__)
    async with parts.sessions.begin() as session:
        moved, purchase = await _rows(session, stripe_id)
        subject = purchase or moved
        if subject is not None:
            name = f"test_purchase.{action}"
            record(session, request.state.actor, name, subject=subject, after=after)
    return purchase


async def _settle(parts: Parts, stripe_id: str) -> None:
    if stripe_id.startswith(TRANSACTION):
        await UnlinkedTransactions(parts.sessions, parts.settler).look_up(stripe_id)
    else:
        await parts.settler.settle(stripe_id)


async def _rows(
    session: AsyncSession, stripe_id: str
) -> tuple[CardTransaction | None, Authorization | None]:
    """Give the transaction of this id, and the purchase of this id or of the transaction."""
    purchase = await find_purchase(session, stripe_id)
    moved = await session.scalar(
        select(CardTransaction).where(CardTransaction.stripe_transaction_id == stripe_id)
    )
    if purchase is None and moved is not None and moved.authorization_id is not None:
        purchase = await session.get(Authorization, moved.authorization_id)
    return moved, purchase
