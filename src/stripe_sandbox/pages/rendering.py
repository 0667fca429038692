"""Renders the pages' templates and serves the files beside them."""

import mimetypes
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from stripe_sandbox.pages.wording import label
from stripe_sandbox.routing import Reply

HERE: Final = Path(__file__).parent
# Nothing from elsewhere is ever loaded, and no page of another site may frame these.
POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


@cache
def environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["label"] = label
    return made


def render(template: str, **shown: Any) -> Reply:
    """A page, or a part of one, as HTML."""
    html = environment().get_template(template).render(**shown)
    return Reply(html.encode(), headers=HEADERS)


def not_found(what: str) -> Reply:
    return Reply(
        f"no such {what}".encode(),
        status=404,
        content_type="text/plain; charset=utf-8",
        headers=HEADERS,
    )


def static_file(name: str) -> Reply:
    """The style sheet, the script or the icon."""
    files = {path.name: path for path in (HERE / "static").iterdir()}
    if name not in files:
        return not_found("file")
    content_type, _ = mimetypes.guess_type(name)
    return Reply(
        files[name].read_bytes(),
        content_type=f"{content_type}; charset=utf-8",
        headers=HEADERS,
    )
