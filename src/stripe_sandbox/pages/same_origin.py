"""Keeps other sites' pages from working the sandbox through a browser that is open on it."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from stripe_sandbox.errors import StripeError

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def check_same_origin(method: str, headers: Mapping[str, str]) -> None:
    """Refuse with 403 when a browser says that another origin asks for a change.

    Clients that are no browsers send neither header and are not stopped; browsers send
    `Sec-Fetch-Site` on every request and `Origin` on every POST and DELETE
    (https://developer.mozilla.org/docs/Web/HTTP/Headers/Sec-Fetch-Site).
    """
    if method in SAFE_METHODS:
        return
    # "none" is the person themselves, by the address bar.
    is_own_site = headers.get("sec-fetch-site", "none") in {"same-origin", "none"}
    origin = headers.get("origin")
    is_own_origin = origin is None or urlsplit(origin).netloc == headers.get("host")
    if not (is_own_site and is_own_origin):
        raise StripeError("Changes are made from the sandbox's own pages only.", status=403)
