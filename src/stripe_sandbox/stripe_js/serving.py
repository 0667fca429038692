"""Serves the script that a page loads, and the frames it opens."""

import mimetypes
from functools import cache
from pathlib import Path
from typing import Final

from stripe_sandbox.pages.rendering import not_found
from stripe_sandbox.routing import ControlCall, Reply

HERE: Final = Path(__file__).parent
# One script in a few files, put together as it is served. Nothing of it is left lying about on the
# page but `Stripe`.
PARTS: Final = ("frame.js", "elements.js", "actions.js", "stripe.js")
# Any page may hold these frames, because the sandbox cannot know who its product is; they load and
# ask nothing but the sandbox, and no form in them goes anywhere.
FRAME_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors http: https:"
)
HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
FRAME_HEADERS: Final = (*HEADERS, (b"content-security-policy", FRAME_POLICY.encode()))
SCRIPT_HEADERS: Final = (*HEADERS, (b"access-control-allow-origin", b"*"))


@cache
def put_together() -> bytes:
    texts = [(HERE / "script" / part).read_text(encoding="utf-8") for part in PARTS]
    return ('(() => {\n"use strict";\n\n' + "\n".join(texts) + "})();\n").encode()


async def script(_call: ControlCall) -> Reply:
    return Reply(put_together(), 200, "text/javascript; charset=utf-8", SCRIPT_HEADERS)


async def frame(call: ControlCall) -> Reply:
    """The document of a frame. What it shows it is told by the page, through a port."""
    return _file(f"{call.path['frame']}.html")


async def static(call: ControlCall) -> Reply:
    """A frame's style sheet or script."""
    name = call.path["name"]
    return not_found("file") if name.endswith(".html") else _file(name)


def _file(name: str) -> Reply:
    files = {path.name: path for path in (HERE / "frames").iterdir()}
    if name not in files:
        return not_found("frame")
    content_type, _ = mimetypes.guess_type(name)
    return Reply(files[name].read_bytes(), 200, f"{content_type}; charset=utf-8", FRAME_HEADERS)
