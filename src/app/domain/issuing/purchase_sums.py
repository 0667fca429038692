"""What a purchase adds up to, for the database to work out beside its row.

One query gives a list with all of it: four, one for each table, would take a page four times the
time that it needs.
"""

from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, and_, func, or_, select

from app.domain.funding.models import Charge
from app.domain.funding.pricing import MINIMUM_CHARGE_MINOR
from app.domain.funding.refund_models import Receivable, Refund
from app.domain.funding.states import ChargeState, ReceivableState, RefundPurpose, RefundState
from app.domain.issuing.models import Authorization, AuthorizationRequest, CardTransaction
from app.domain.issuing.states import RequestState, TransactionKind

_OUTSTANDING = Receivable.amount_minor - Receivable.lowered_minor
_Asked = AuthorizationRequest
_ASKED_OF = _Asked.authorization_id == Authorization.id


def _one(query: Any) -> ScalarSelect[Any]:
    found: ScalarSelect[Any] = query.correlate(Authorization).scalar_subquery()
    return found


def _moved(kind: TransactionKind) -> ScalarSelect[Any]:
    return _one(
        select(func.coalesce(func.sum(CardTransaction.amount_minor), 0)).where(
            CardTransaction.authorization_id == Authorization.id, CardTransaction.kind == kind
        )
    )


def _approved(column: Any) -> ScalarSelect[Any]:
    return _one(select(func.sum(column)).where(_ASKED_OF, _Asked.state == RequestState.APPROVED))


def _of_transactions(column: Any) -> ScalarSelect[Any]:
    return _one(
        select(func.coalesce(func.sum(column), 0)).where(
            CardTransaction.authorization_id == Authorization.id
        )
    )


CAPTURED = -_moved(TransactionKind.CAPTURE)
GIVEN_BACK = _moved(TransactionKind.REFUND)
FIRST_STATE = _one(select(_Asked.state).where(_ASKED_OF).order_by(_Asked.ordinal).limit(1))
"""Our answer to the first question; NULL where nobody asked us."""
LAST_REASON = _one(
    select(_Asked.reason)
    .where(_ASKED_OF, _Asked.reason.is_not(None))
    .order_by(_Asked.ordinal.desc())
    .limit(1)
)
ASKED: ColumnElement[int] = func.coalesce(
    _approved(_Asked.amount_minor),
    _one(select(_Asked.amount_minor).where(_ASKED_OF).order_by(_Asked.ordinal.desc()).limit(1)),
    Authorization.amount_minor,
)
"""All that was approved, or else the latest question. Stripe's own amount falls to nothing."""
AMOUNT: ColumnElement[int] = func.coalesce(func.nullif(CAPTURED, 0), ASKED)
"""What merchants took, or else what they asked for."""
AGREED_FEE = func.coalesce(_approved(_Asked.fee_minor), 0)
TAKEN_FEE = _of_transactions(CardTransaction.fee_minor)
"""Our fee on all that merchants took, be it paid or not."""
EARNED_FEE = _of_transactions(CardTransaction.earned_minor)
"""What of that is paid."""
PAYING = _one(
    select(func.count()).where(
        Charge.purchase_id == Authorization.id,
        or_(
            Charge.state == ChargeState.HELD,
            # A customer who pays a debt still owes it.
            and_(Charge.state == ChargeState.UNKNOWN, Charge.on_session.is_(False)),
        ),
    )
)
"""How many charges are held, or under way: what they take is not known yet."""
OWED = _one(
    select(func.coalesce(func.sum(_OUTSTANDING), 0)).where(
        Receivable.purchase_id == Authorization.id,
        Receivable.state == ReceivableState.OPEN,
        _OUTSTANDING >= MINIMUM_CHARGE_MINOR,
    )
)
"""What of it no linked card has paid, our fee apart; not what is too little to be charged."""
CHARGED = _one(
    select(func.coalesce(func.sum(Charge.captured_minor), 0)).where(
        Charge.purchase_id == Authorization.id, Charge.undone.is_(False)
    )
)
"""What was taken from linked cards for it so far, with our fee; what went back is not less."""
REFUNDED = _one(
    select(func.coalesce(func.sum(Refund.amount_minor), 0)).where(
        Refund.purchase_id == Authorization.id,
        Refund.purpose == RefundPurpose.MERCHANT_REFUND,
        Refund.state != RefundState.FAILED,
    )
)
"""What went back to linked cards because a merchant gave it back, with our fee on it."""
