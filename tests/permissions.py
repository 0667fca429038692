"""Every page and action of the running back office, and the list of who may: permissions.txt.

The list is written by hand: whoever adds a page or an action adds its line there. Patterns are
those of the routes; what stands for one of several things in a route is spelled out in brackets.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from starlette.applications import Starlette
from starlette.routing import Mount, Route

from app.admin.approvals.kinds import KINDS
from app.admin.catalogue import VIEWS
from app.admin.mount import BackOffice
from app.admin.pages.actions.catalogue import ACTS
from app.admin.pages.queue_kinds import QUEUES
from app.admin.pages.test_purchase import UNASKED
from app.domain.issuing.story_next import MerchantStep

FILE = Path(__file__).with_name("permissions.txt")
NOTHING = str(UUID(int=0))
PUBLIC = "public"
OPTIONS: dict[str, tuple[str, list[str]]] = {
    "/{identity}/list": ("identity", [view.identity for view in VIEWS]),
    "/{identity}/details/{pk:path}": (
        "identity",
        [view.identity for view in VIEWS if view.can_view_details],
    ),
    "/act/{act}/{key}": ("act", list(ACTS)),
    "/approval/{pk:uuid}/approve": ("pk", list(KINDS)),
    "/approval/{pk:uuid}/refuse": ("pk", list(KINDS)),
    "/queues/{queue}/{act}": ("queue", list(QUEUES)),
    "/purchase/{purchase}/{act}": ("act", [MerchantStep.CAPTURE]),
    "/test/purchase/{purchase}/{act}": ("act", [MerchantStep.CAPTURE]),
    "/test/unasked/{what}": ("what", list(UNASKED)),
}
"""Routes that stand for several pages: what names them, and the names."""
FILLED = {"pk": NOTHING, "key": NOTHING, "purchase": NOTHING, "act": "take"}


class Place(NamedTuple):
    """A page or an action: its line in the file, and a way to ask for it."""

    name: str
    method: str
    path: str


def places(parts: Any, approvals: dict[str, UUID]) -> Iterator[Place]:
    """Give every route of the running back office, with each of its methods and options."""
    office = BackOffice(Starlette(), parts)
    for route in office.admin.router.routes:
        if isinstance(route, Mount):
            continue
        assert isinstance(route, Route)
        field, names = OPTIONS.get(route.path, ("", [""]))
        for method in sorted((route.methods or set()) - {"HEAD"}):
            for name in names:
                filled = FILLED | {field: str(approvals.get(name, name))}
                path = route.path
                for parameter in route.param_convertors:
                    for kind in ("", ":uuid", ":path", ":str"):
                        path = path.replace(f"{{{parameter}{kind}}}", filled[parameter])
                yield Place(f"{method} {route.path}{f' [{name}]' * bool(name)}", method, path)


def written() -> dict[str, set[str]]:
    """Read the file: who may do what."""
    lines = (line for line in FILE.read_text().splitlines() if line and line[0] != "#")
    pairs = (line.split(" | ") for line in lines)
    return {name.strip(): set(roles.split()) for name, roles in pairs}
