"""Ids in Stripe's form."""

import secrets
import string

ALPHABET = string.ascii_letters + string.digits
LENGTH = 24


def new_id(prefix: str) -> str:
    """Give `prefix_` and 24 letters and digits, never the same twice."""
    return f"{prefix}_{random_text(LENGTH)}"


def random_text(length: int) -> str:
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in secrets.token_bytes(length))
