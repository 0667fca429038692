"""When a debt is tried again: more and more seldom, and as the bank advises. Pure.

Source: https://docs.stripe.com/declines/codes
"""

from datetime import datetime, timedelta

from app.domain.funding.charges import ChargeOutcome
from app.domain.funding.refund_models import Receivable
from app.domain.funding.states import ReceivableState

DAYS_BETWEEN_ATTEMPTS = (1, 3, 7, 14, 30)
TRY_LATER_DAYS = 2
NEVER_AGAIN = "do_not_try_again"
OTHER_DATA = "confirm_card_data"
LATER = "try_again_later"


def can_pay_later(advice_code: str | None) -> bool:
    """Tell whether a card whose bank declined with this advice may pay later, as it is."""
    return advice_code not in (NEVER_AGAIN, OTHER_DATA)


def next_attempt(attempts: int, advice_code: str | None, now: datetime) -> datetime | None:
    """Give when to try a debt again: more and more seldom, and as Stripe advises.

    None when only another card can help.
    """
    if not can_pay_later(advice_code) or attempts > len(DAYS_BETWEEN_ATTEMPTS):
        return None
    days = DAYS_BETWEEN_ATTEMPTS[max(attempts, 1) - 1]
    if advice_code == LATER:
        days = max(days, TRY_LATER_DAYS)
    return now + timedelta(days=days)


def note_attempt(debt: Receivable, outcome: ChargeOutcome, now: datetime) -> None:
    """Write down that a debt could not be collected, and when it is tried again."""
    debt.attempts += 1
    debt.decline_code, debt.advice_code = outcome.decline_code, outcome.advice_code
    is_open = debt.state is ReceivableState.OPEN
    debt.next_attempt_at = (
        next_attempt(debt.attempts, outcome.advice_code, now) if is_open else None
    )
