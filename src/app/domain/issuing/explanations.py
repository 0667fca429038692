"""Every decline in words: for the customer, for staff, what to do next, and whose it was."""

from collections.abc import Mapping

from app.domain.issuing.bank_reasons import reason_for
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.explain_banks import BANKS
from app.domain.issuing.explain_ours import OURS
from app.domain.issuing.explain_rules import RULES
from app.domain.issuing.explain_settings import SETTINGS
from app.domain.issuing.explain_stripe import STRIPES
from app.domain.issuing.explanation import Explanation

EXPLANATIONS: Mapping[DeclineReason, Explanation] = {
    **SETTINGS,
    **RULES,
    **BANKS,
    **STRIPES,
    **OURS,
}
assert EXPLANATIONS.keys() == set(DeclineReason)


def told_to_customer(decline_code: str | None) -> str:
    """Say to a customer, in a sentence, why a linked card did not pay, by its bank's code."""
    return EXPLANATIONS[reason_for(decline_code)].customer
