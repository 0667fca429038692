"""Who may see and do what in the back office: one table, read by every page, list and action.

docs/permissions.md is written from it, and a test holds every address against a list of its own.
"""

from collections.abc import Mapping

from app.domain.identity.sessions import SignedIn
from app.domain.identity.states import Role

SEE = "see"
EXPORT = "export"
FULL_EMAIL = "full_email"
TOTALS = "totals"
READS = frozenset({SEE, EXPORT, FULL_EMAIL, TOTALS})
"""What changes nothing. The auditor may do it everywhere, and nothing else."""

ALLOW_ONCE = "allow_once"
APPROVE = "approve"
BLOCK = "block"
CHANGE = "change"
CLOSE = "close"
DISABLE = "disable"
END_SESSIONS = "end_sessions"
FREEZE = "freeze"
INVITE = "invite"
LIMITS = "limits"
NOTE = "note"
PAY = "pay"
PROMOTE = "promote"
RECOVER = "recover"
REFUND = "refund"
REPLACE = "replace"
RESEND = "resend"
RESET_TOTP = "reset_totp"
RESOLVE = "resolve"
RETRY = "retry"
ROLES = "roles"
RUN_AGAIN = "run_again"
STOP = "stop"
TAKE = "take"
UNFREEZE = "unfreeze"
WRITE_OFF = "write_off"

Grants = Mapping[str, frozenset[Role]]

_SUPPORT, _FINANCE, _RISK, _ADMIN = Role.SUPPORT, Role.FINANCE, Role.RISK, Role.ADMIN
_EVERYBODY = frozenset({_SUPPORT, _FINANCE, _RISK, _ADMIN})
_BUT_SUPPORT = _EVERYBODY - {_SUPPORT}
_SYSTEM = frozenset({_ADMIN})
_MONEY = frozenset({_FINANCE})
_TOTALS = frozenset({_FINANCE, _ADMIN})
_RISKS = frozenset({_RISK})
_CARE = frozenset({_SUPPORT, _RISK})
_PAYING = frozenset({_SUPPORT, _FINANCE})
_READ: dict[str, frozenset[Role]] = {SEE: _EVERYBODY, EXPORT: _BUT_SUPPORT}
"""Most lists: everybody looks, and support does not carry a list away."""

MATRIX: Mapping[str, Grants] = {
    # Pages of our own; PAY uses a card at a merchant, and captures or undoes it, in a test.
    "home": {SEE: _EVERYBODY, TOTALS: _TOTALS},
    "search": {SEE: _EVERYBODY},
    "customer": {SEE: _EVERYBODY, NOTE: _EVERYBODY},
    "queues": {SEE: _EVERYBODY, TAKE: _EVERYBODY},
    "account": {SEE: _EVERYBODY, CHANGE: _EVERYBODY | {Role.AUDITOR}},
    "purchase": {SEE: _EVERYBODY, PAY: _EVERYBODY},
    "test": {SEE: _EVERYBODY, PAY: _EVERYBODY},
    "approvals": _READ | {CHANGE: _EVERYBODY},
    # Totals: not for support, which looks at one customer at a time.
    "profit": {SEE: _TOTALS},
    "reconciliation": {SEE: _TOTALS},
    "trial-balance": {SEE: _TOTALS},
    "receivables-by-age": {SEE: _TOTALS},
    # Lists, and what is done to what they show.
    "purchases": _READ | {REFUND: _PAYING, APPROVE: _MONEY},
    "charges": _READ,
    "transactions": _READ,
    "refunds": _READ | {RESOLVE: _MONEY, APPROVE: _MONEY},
    "receivables": _READ
    | {RETRY: _PAYING, WRITE_OFF: _MONEY, RECOVER: _MONEY, APPROVE: _MONEY, TAKE: _PAYING},
    "journals": _READ,
    "entries": {SEE: _TOTALS, EXPORT: _TOTALS},
    "balance-transactions": {SEE: _TOTALS, EXPORT: _TOTALS},
    "differences": {SEE: _TOTALS, EXPORT: _TOTALS, RESOLVE: _MONEY},
    "declines": _READ,
    "requests": _READ | {ALLOW_ONCE: _CARE},
    "rules": _READ | {CHANGE: _RISKS, PROMOTE: _RISKS, BLOCK: _RISKS, STOP: _RISKS},
    "allowances": _READ,
    "cards": _READ | {FREEZE: _CARE, UNFREEZE: _CARE, CLOSE: _CARE, REPLACE: _CARE, LIMITS: _CARE},
    "customers": _READ
    | {
        FULL_EMAIL: _BUT_SUPPORT,
        FREEZE: _CARE,
        UNFREEZE: _RISKS,
        CLOSE: _RISKS,
        LIMITS: _RISKS,
        END_SESSIONS: _CARE,
    },
    "sources": _READ,
    "prices": {SEE: _TOTALS, EXPORT: _TOTALS, CHANGE: _SYSTEM},
    "mails": _READ | {RESEND: _CARE},
    "events": _READ | {RUN_AGAIN: _SYSTEM},
    "orders": {SEE: _SYSTEM, EXPORT: _SYSTEM, RUN_AGAIN: _SYSTEM},
    "jobs": {SEE: _SYSTEM, EXPORT: _SYSTEM, RUN_AGAIN: _SYSTEM},
    "job-log": {SEE: _SYSTEM, EXPORT: _SYSTEM},
    "regular-jobs": {SEE: _SYSTEM, EXPORT: _SYSTEM},
    "staff": {
        SEE: _SYSTEM,
        EXPORT: _SYSTEM,
        INVITE: _SYSTEM,
        ROLES: _SYSTEM,
        DISABLE: _SYSTEM,
        RESET_TOTP: _SYSTEM,
        END_SESSIONS: _SYSTEM,
        APPROVE: _SYSTEM,
    },
    "audit": {SEE: _SYSTEM, EXPORT: _SYSTEM},
}
"""By view and action. The owner holds all; the auditor reads all and changes nothing.

APPROVE decides what another member asked for about a row of the view; asking is the action itself.
"""


def allowed(staff: SignedIn, view: str, action: str = SEE) -> bool:
    """Tell whether one of the member's roles grants the action. What the table lacks is refused."""
    granted = MATRIX.get(view, {}).get(action)
    return granted is not None and any(holds(role, granted, action) for role in staff.roles)


def holds(role: Role, granted: frozenset[Role], action: str) -> bool:
    """Tell whether a role may do an action that is granted to some."""
    if role is Role.OWNER or role in granted:
        return True
    return role is Role.AUDITOR and action in READS
