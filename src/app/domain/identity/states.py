"""The lives of a customer, of a member of staff, and of what one asks another to approve."""

from enum import StrEnum

from app.domain.states import complete


class CustomerState(StrEnum):
    ONBOARDING = "onboarding"
    ACTIVE = "active"
    FROZEN = "frozen"
    CLOSED = "closed"


CUSTOMER_MOVES = complete(
    {
        CustomerState.ONBOARDING: {CustomerState.ACTIVE, CustomerState.CLOSED},
        CustomerState.ACTIVE: {CustomerState.FROZEN, CustomerState.CLOSED},
        CustomerState.FROZEN: {CustomerState.ACTIVE, CustomerState.CLOSED},
        CustomerState.CLOSED: set(),
    },
    CustomerState,
)


class StaffState(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"


STAFF_MOVES = complete(
    {StaffState.ACTIVE: {StaffState.DISABLED}, StaffState.DISABLED: {StaffState.ACTIVE}},
    StaffState,
)


class ApprovalState(StrEnum):
    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


APPROVAL_MOVES = complete(
    {
        ApprovalState.WAITING: {
            ApprovalState.APPROVED,
            ApprovalState.REFUSED,
            ApprovalState.WITHDRAWN,
            ApprovalState.EXPIRED,
        },
        ApprovalState.APPROVED: set(),
        ApprovalState.REFUSED: set(),
        ApprovalState.WITHDRAWN: set(),
        ApprovalState.EXPIRED: set(),
    },
    ApprovalState,
)


class Role(StrEnum):
    """What a member of staff may do. Roles add up; the owner holds all."""

    SUPPORT = "support"
    FINANCE = "finance"
    RISK = "risk"
    ADMIN = "admin"
    AUDITOR = "auditor"
    OWNER = "owner"
