"""How a purchase stands, as conditions on its rows: what `lines.Line` says, for the database."""

from collections.abc import Mapping

from sqlalchemy import ColumnElement, and_, func, not_, or_

from app.domain.issuing.lines import PurchaseStatus
from app.domain.issuing.models import Authorization
from app.domain.issuing.purchase_sums import ASKED, CAPTURED, CHARGED, FIRST_STATE, GIVEN_BACK, OWED
from app.domain.issuing.states import AuthorizationState, RequestState

_taken = CAPTURED != 0
_unpaid = and_(_taken, OWED > 0)
_paid = and_(_taken, OWED <= 0)
_declined = or_(
    Authorization.approved.is_(False),
    and_(
        Authorization.approved.is_(None),
        func.coalesce(FIRST_STATE, RequestState.DECIDING) == RequestState.DECLINED,
    ),
)
_deciding = and_(
    Authorization.approved.is_(None),
    func.coalesce(FIRST_STATE, RequestState.DECIDING) == RequestState.DECIDING,
)
_open = and_(not_(_taken), not_(_declined), not_(_deciding))
_pending = Authorization.state == AuthorizationState.PENDING

CONDITIONS: Mapping[PurchaseStatus, ColumnElement[bool]] = {
    PurchaseStatus.NOT_PAID: _unpaid,
    PurchaseStatus.REFUNDED: and_(_paid, GIVEN_BACK >= CAPTURED),
    PurchaseStatus.PARTLY_REFUNDED: and_(_paid, GIVEN_BACK > 0, GIVEN_BACK < CAPTURED),
    PurchaseStatus.COMPLETED: and_(_paid, GIVEN_BACK <= 0),
    PurchaseStatus.DECLINED: and_(not_(_taken), _declined),
    PurchaseStatus.IN_PROGRESS: and_(not_(_taken), not_(_declined), _deciding),
    PurchaseStatus.CARD_CHECK: and_(_open, ASKED == 0),
    PurchaseStatus.ON_HOLD: and_(_open, ASKED != 0, _pending, CHARGED == 0),
    PurchaseStatus.NOT_TAKEN: and_(_open, ASKED != 0, _pending, CHARGED > 0),
    PurchaseStatus.RELEASED: and_(_open, ASKED != 0, not_(_pending)),
}
assert CONDITIONS.keys() == set(PurchaseStatus)
