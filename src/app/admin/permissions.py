"""Who may see and do what in the back office: one table, read by every page and list."""

from collections.abc import Mapping

from app.domain.identity.sessions import SignedIn
from app.domain.identity.states import Role

SEE = "see"
RUN_AGAIN = "run_again"
FULL_EMAIL = "full_email"
PAY = "pay"

Grants = Mapping[str, frozenset[Role]]

_SUPPORT, _FINANCE, _RISK, _ADMIN = Role.SUPPORT, Role.FINANCE, Role.RISK, Role.ADMIN
_EVERYBODY = frozenset({_SUPPORT, _FINANCE, _RISK, _ADMIN})
_SYSTEM = frozenset({_ADMIN})

MATRIX: Mapping[str, Grants] = {
    # Pages of our own; PAY uses a card at a merchant, and captures or undoes it, in a test.
    "home": {SEE: _EVERYBODY},
    "purchase": {SEE: _EVERYBODY, PAY: _EVERYBODY},
    "test": {SEE: _EVERYBODY, PAY: _EVERYBODY},
    # Lists.
    "purchases": {SEE: _EVERYBODY},
    "charges": {SEE: _EVERYBODY},
    "transactions": {SEE: _EVERYBODY},
    "declines": {SEE: _EVERYBODY},
    "requests": {SEE: _EVERYBODY},
    "cards": {SEE: _EVERYBODY},
    "customers": {SEE: _EVERYBODY, FULL_EMAIL: _EVERYBODY - {_SUPPORT}},
    "sources": {SEE: _EVERYBODY},
    "prices": {SEE: frozenset({_FINANCE, _ADMIN})},
    "events": {SEE: _EVERYBODY, RUN_AGAIN: _SYSTEM},
    "jobs": {SEE: _SYSTEM},
    "job-log": {SEE: _SYSTEM},
    "staff": {SEE: _SYSTEM},
    "audit": {SEE: _SYSTEM},
}
"""By view and action. The owner holds all; the auditor sees all and changes nothing."""

_CHANGES = frozenset({RUN_AGAIN, PAY})


def allowed(staff: SignedIn, view: str, action: str = SEE) -> bool:
    """Tell whether one of the member's roles grants the action. What the table lacks is refused."""
    granted = MATRIX.get(view, {}).get(action)
    if granted is None:
        return False
    if Role.OWNER in staff.roles or granted & staff.roles:
        return True
    return Role.AUDITOR in staff.roles and action not in _CHANGES
