"""Use an own card at a merchant, to see the product work. Absent where Stripe is the real one."""

from uuid import UUID

import msgspec
import stripe
import structlog
from litestar import Response, post
from litestar.params import FromPath

from app.adapters.merchant_errors import MerchantRefused, StripeUnclear
from app.adapters.stripe_test_helpers import Payment, StripeTestHelpers
from app.domain.identity.audit import record
from app.domain.identity.sign_in import TooManyAttempts
from app.domain.identity.throttle import TEST_PURCHASE, count_attempt
from app.domain.issuing.models import Authorization
from app.domain.issuing.own_cards import own_card
from app.domain.issuing.story import find_purchase
from app.errors import AppError
from app.portal.card_page import CARD, card_page
from app.portal.guard import only_offline
from app.portal.once import new_once
from app.portal.purchases import PURCHASES_PATH
from app.portal.test_purchase_form import Unusable, payment_of, typed_in
from app.portal.visits import ForCustomer, ForForm, ForPerson, ForVisit, Visit

log = structlog.get_logger()

TEST_PURCHASE_PATH = CARD + "/test-purchase"


@post(TEST_PURCHASE_PATH, guards=[only_offline], include_in_schema=False)
async def send_test_purchase(
    visit: ForVisit,
    person: ForPerson,
    customer_id: ForCustomer,
    form: ForForm,
    card_id: FromPath[UUID],
) -> Response[str]:
    """Have a merchant ask for money, and lead to what came of it. Sent twice, it is asked once."""
    async with visit.parts.sessions() as session:
        card = await own_card(session, customer_id, card_id)
    trial = typed_in(form)
    try:
        payment = payment_of(trial, customer_id, card)
        purchase = await _pay(visit, customer_id, payment)
    except (Unusable, TooManyAttempts, MerchantRefused, StripeUnclear) as refusal:
        # Where it may have been done, the same form sent again is the same request to Stripe.
        once = trial.once if isinstance(refusal, StripeUnclear) else new_once()
        page = await card_page(
            visit,
            customer_id,
            card_id,
            asks=not person.gave_password(visit.now),
            at=refusal.field if isinstance(refusal, Unusable) else "",
            refusal=refusal,
            trial=msgspec.structs.replace(trial, once=once),
        )
        if isinstance(refusal, TooManyAttempts):
            page.headers["Retry-After"] = str(refusal.seconds)
        return page
    return visit.go(f"{PURCHASES_PATH}/{purchase.id}" if purchase else PURCHASES_PATH)


async def _pay(visit: Visit, customer_id: UUID, payment: Payment) -> Authorization | None:
    """Use the card; give the purchase, or None when Stripe's events have still to tell of it."""
    parts = visit.parts
    async with parts.sessions.begin() as session:
        whose, address = str(customer_id), visit.actor.address or ""
        await count_attempt(session, TEST_PURCHASE, whose, address, visit.now)
    helpers = StripeTestHelpers(parts.stripe.other, parts.settings.sandbox_url)
    name = await helpers.pay(payment)
    try:
        # Stripe may have declined before it asked us: then settling is what makes our row.
        await parts.settler.settle(name)
    except (AppError, stripe.StripeError) as error:
        log.warning("not_settled_at_once", error=type(error).__name__)
    after = {"amount_minor": payment.amount_minor, "merchant": payment.merchant_name}
    async with parts.sessions.begin() as session:
        purchase = await find_purchase(session, name)
        if purchase is not None:
            record(session, visit.actor, "test_purchase.pay", subject=purchase, after=after)
    return purchase
