"""Paying what is open: which linked card, the bank's question in Stripe's own script, the end."""

from typing import Any
from uuid import UUID

import stripe
import structlog
from litestar import Response, get, post
from litestar.params import FromPath

from app.adapters.stripe_paying import StripePaying
from app.domain.funding.health import health_of
from app.domain.funding.ordering import in_order
from app.domain.funding.sources import SourceNotFound
from app.domain.funding.states import ChargeState
from app.domain.identity.sign_in import TooManyAttempts
from app.domain.issuing.claims import PurchaseBusy
from app.domain.issuing.explanations import told_to_customer
from app.domain.issuing.merchant_names import tidy_name
from app.domain.issuing.owing import TOO_MUCH
from app.domain.issuing.paying_debts import DebtPayments, NothingToPay, PaidElsewhere, Payment
from app.portal.funding import FUNDING, HEALTH
from app.portal.linking import SILENT, StripeSilent
from app.portal.visits import ForCustomer, ForForm, ForVisit, Visit

log = structlog.get_logger()

PAY = FUNDING + "/pay"
PAYMENTS = FUNDING + "/payments"
ASKED_IN_VAIN = "payment_intent_authentication_failure"
UNCHOSEN = "Choose the card that pays."


@get(PAY + "/{debt_id:uuid}", include_in_schema=False)
async def show_debt(
    visit: ForVisit, customer_id: ForCustomer, debt_id: FromPath[UUID]
) -> Response[str]:
    """Show what is open and what paying it costs; ask which card pays."""
    return await _debt_page(visit, customer_id, debt_id)


@post(PAY + "/{debt_id:uuid}", include_in_schema=False)
async def send_choice(
    visit: ForVisit, customer_id: ForCustomer, form: ForForm, debt_id: FromPath[UUID]
) -> Response[str]:
    """Begin a payment with the card that was chosen; sent twice it is one."""
    try:
        source_id = UUID(form.text("source"))
        payment = await _payments(visit).begin(
            customer_id, debt_id, source_id, actor=visit.actor, real_now=visit.now
        )
    except (ValueError, SourceNotFound):
        return await _debt_page(visit, customer_id, debt_id, UNCHOSEN, 422)
    except (NothingToPay, PaidElsewhere, PurchaseBusy, TooManyAttempts) as refusal:
        status = refusal.status_code
        page = await _debt_page(visit, customer_id, debt_id, str(refusal), status)
        if isinstance(refusal, TooManyAttempts):
            page.headers["Retry-After"] = str(refusal.seconds)
        return page
    return visit.go(f"{PAYMENTS}/{payment}")


@get(PAYMENTS + "/{payment_id:uuid}", include_in_schema=False)
async def show_payment(
    visit: ForVisit, customer_id: ForCustomer, payment_id: FromPath[UUID]
) -> Response[str]:
    """Let the customer confirm, or show what came of it."""
    try:
        payment = await _payments(visit).open(customer_id, payment_id)
    except (stripe.APIConnectionError, stripe.APIError, OSError) as error:
        log.exception("payment_not_opened")
        raise StripeSilent(SILENT) from error
    return _payment_page(visit, payment)


@post(PAYMENTS + "/{payment_id:uuid}/finish", include_in_schema=False)
async def send_payment(
    visit: ForVisit,
    customer_id: ForCustomer,
    form: ForForm,  # noqa: ARG001
    payment_id: FromPath[UUID],
) -> Response[str]:
    """Look what Stripe says of it; our pages are never believed."""
    try:
        charge = await _payments(visit).finish(customer_id, payment_id)
    except (stripe.APIConnectionError, stripe.APIError, OSError) as error:
        log.exception("payment_not_finished")
        raise StripeSilent(SILENT) from error
    if charge.state in (ChargeState.CAPTURED, ChargeState.REFUNDED):
        return visit.go(f"{FUNDING}?done=paid")
    return visit.go(f"{PAYMENTS}/{payment_id}")


@post(PAYMENTS + "/{payment_id:uuid}/stop", include_in_schema=False)
async def send_stop(
    visit: ForVisit,
    customer_id: ForCustomer,
    form: ForForm,  # noqa: ARG001
    payment_id: FromPath[UUID],
) -> Response[str]:
    """End a payment that is not to be made; where it was made meanwhile, its page says so."""
    await _payments(visit).stop(customer_id, payment_id)
    return visit.go(f"{PAYMENTS}/{payment_id}")


async def _debt_page(
    visit: Visit, customer_id: UUID, debt_id: UUID, problem: str = "", status: int = 200
) -> Response[str]:
    owed = await _payments(visit).owed(customer_id, debt_id)
    async with visit.parts.sessions() as session:
        sources = await in_order(session, customer_id)
        health = await health_of(session, sources, visit.parts.clock.now())
    return visit.page(
        "pay.html",
        status,
        owed=owed,
        too_much=TOO_MUCH,
        merchant=tidy_name(owed.purchase.merchant_name),
        sources=sources,
        health={one.id: HEALTH[health[one.id]] for one in sources},
        problem=problem,
    )


def _payment_page(visit: Visit, payment: Payment) -> Response[str]:
    charge, facts = payment.charge, payment.facts
    refused = charge.state in (ChargeState.CANCELED, ChargeState.DECLINED)
    told: dict[str, Any] = {
        "payment": payment,
        "merchant": tidy_name(payment.owed.purchase.merchant_name),
        "paid": charge.state in (ChargeState.CAPTURED, ChargeState.REFUNDED),
        "refused": refused,
        "reason": _reason(charge.decline_code) if refused else "",
        "secret": facts.client_secret if facts else "",
        "finishing": facts is not None and facts.state is not ChargeState.UNKNOWN,
    }
    if facts is not None and not told["finishing"]:
        return visit.stripe_page("payment.html", **told)
    return visit.page("payment.html", **told)


def _reason(decline_code: str | None) -> str:
    """Say why a payment was not made, in the bank's word where it gave one."""
    if decline_code is None:
        return "It was not confirmed."
    if decline_code == ASKED_IN_VAIN:
        return "Your bank's question was not answered with yes."
    return told_to_customer(decline_code)


def _payments(visit: Visit) -> DebtPayments:
    return DebtPayments(visit.parts.settler, StripePaying(visit.parts.stripe.other))


PAYING_PAGES = (show_debt, send_choice, show_payment, send_payment, send_stop)
