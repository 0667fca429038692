"""Codes of an app, new every half minute, and codes on paper for whoever has lost the app.

Source: https://datatracker.ietf.org/doc/html/rfc6238
"""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime

import pyotp
import segno

STEP_SECONDS = 30
NEIGHBOURS = (0, -1, 1)
"""A clock may be off by half a minute, and a code is typed just after its time."""
ISSUER = "Proxycard"
RECOVERY_CODES = 10
_CODE_LENGTH = 6
_SECRET_BYTES = 20
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_RECOVERY_LETTERS = 12


def new_salt() -> bytes:
    """Give what a secret is derived from, to be kept."""
    return secrets.token_bytes(_SECRET_BYTES)


def secret_of(salt: bytes, key: str) -> str:
    """Give the secret of 160 bits that an app keeps. `key` is ours, and not in the database."""
    derived = hmac.digest(key.encode(), b"one-time codes:" + salt, hashlib.sha256)
    return base64.b32encode(derived[:_SECRET_BYTES]).decode()


def address_of(secret: str, name: str, issuer: str = ISSUER) -> str:
    """Give the address that an app reads from a picture; `name` says whose account it is."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=issuer)


def code_of(secret: str, now: datetime) -> str:
    """Give the code that an app with this secret shows at a time."""
    return pyotp.TOTP(secret).at(now)


def picture_of(address: str) -> str:
    """Draw an address as a QR code: SVG for the middle of a page, in the colour of its text."""
    drawn: str = segno.make(address, error="m").svg_inline(
        scale=5, border=2, dark="#000", light="#fff", omitsize=True
    )
    return drawn


def step_of(secret: str, typed: str, now: datetime) -> int | None:
    """Give the time step of a right code, to be kept so that it is not taken twice; else None."""
    code = typed.replace(" ", "")
    if len(code) != _CODE_LENGTH or not (code.isascii() and code.isdigit()):
        return None
    here = int(now.timestamp()) // STEP_SECONDS
    codes = pyotp.TOTP(secret)
    found = None
    for by in NEIGHBOURS:
        right = hmac.compare_digest(codes.at((here + by) * STEP_SECONDS), code)
        if right and found is None:
            found = here + by
    return found


def new_recovery_codes() -> list[str]:
    """Give codes of sixty bits each, in groups that are easy to copy."""
    return [_recovery_code() for _ in range(RECOVERY_CODES)]


def recovery_hash(typed: str) -> bytes:
    """Give what is kept of a recovery code, however it was typed."""
    plain = "".join(letter for letter in typed.lower() if letter.isalnum())
    return hashlib.sha256(plain.encode()).digest()


def _recovery_code() -> str:
    letters = [secrets.choice(_LETTERS) for _ in range(_RECOVERY_LETTERS)]
    return "-".join("".join(letters[at : at + 4]) for at in range(0, _RECOVERY_LETTERS, 4))
