"""The portal's own style sheet and scripts: read once, addressed by what is in them, kept for ever.

Their address changes with any of them, so no browser ever shows a page with old styles, and a
script finds another one beside itself.
"""

import hashlib
from pathlib import Path

import msgspec
from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

FOLDER = Path(__file__).parent / "static"
FOR_EVER = "public, max-age=31536000, immutable"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


class StaticFile(msgspec.Struct, frozen=True):
    content: bytes
    media_type: str


def _read(file: Path) -> StaticFile:
    return StaticFile(file.read_bytes(), _TYPES[file.suffix])


FILES = {file.name: _read(file) for file in sorted(FOLDER.iterdir()) if file.suffix in _TYPES}
MARK = hashlib.sha256(b"".join(file.content for file in FILES.values())).hexdigest()[:12]


def address_of(name: str) -> str:
    """Give where a page finds a file."""
    assert name in FILES
    return f"/static/{MARK}/{name}"


@get("/static/{mark:str}/{name:str}", include_in_schema=False)
async def static_file(mark: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    file = FILES.get(name)
    if file is None or mark != MARK:
        raise NotFoundException
    return Response(file.content, media_type=file.media_type, headers={"Cache-Control": FOR_EVER})
