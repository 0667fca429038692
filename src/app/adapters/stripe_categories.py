"""Stripe's words for kinds of merchants, as its own library lists them."""

from typing import Any, get_args, get_type_hints

from stripe.params.issuing import CardCreateParamsSpendingControls

_NAMED: Any = get_type_hints(CardCreateParamsSpendingControls)["allowed_categories"]
# A list of these words or any text, taken apart from the outside in.
CATEGORIES: frozenset[str] = frozenset(get_args(get_args(get_args(_NAMED)[0])[0]))
"""What a card's categories may be: https://docs.stripe.com/issuing/categories."""
