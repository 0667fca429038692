"""How the parameters of an update change a stored object."""

from collections.abc import Mapping
from typing import Any

ADDRESS_FIELDS = ("city", "country", "line1", "line2", "postal_code", "state")


def address_of(given: Any) -> dict[str, str | None]:
    """An address with every field of Stripe's, absent ones null."""
    return {field: (given or {}).get(field) or None for field in ADDRESS_FIELDS}


def without_empty(given: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """The named parameters that were sent, with "" (unset) turned into null."""
    return {name: given[name] or None for name in names if name in given}
