"""Metadata as Stripe keeps it (https://docs.stripe.com/api/metadata)."""

from typing import Any


def merged(kept: dict[str, str], given: Any) -> dict[str, str]:
    """Give metadata after an update: key by key, `""` for a key drops it, `""` for all clears."""
    if given is None:
        return dict(kept)
    if given == "":
        return {}
    return {name: value for name, value in (kept | given).items() if value != ""}
