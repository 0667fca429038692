"""Every kind of request for approval, from the pages that ask for them."""

from collections.abc import Mapping

from app.admin.approvals.kind import Kind
from app.admin.approvals.members import MEMBER_KINDS
from app.admin.approvals.money import MONEY_KINDS
from app.admin.approvals.paid_back import PAID_BACK_KINDS
from app.admin.approvals.refunds import REFUND_KINDS

KINDS: Mapping[str, Kind] = {**MEMBER_KINDS, **MONEY_KINDS, **REFUND_KINDS, **PAID_BACK_KINDS}
