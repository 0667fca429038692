"""What a route is: an address of Stripe's interface, and the operation behind it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from stripe_sandbox.world import World

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Call:
    """One request to Stripe's interface, checked and decoded."""

    world: World
    params: dict[str, Any]
    path: dict[str, str]
    url: str
    request_id: str
    idempotency_key: str | None = None
    stripe_version: str | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """One call of Stripe's interface.

    `params` is the TypedDict by which the `stripe` package types the call's parameters: a request
    is checked against it before the operation sees it. `None` takes only `expand`.
    `kind_listed` is the kind of object a list holds, so that `expand=data.…` can be checked.
    """

    method: str
    template: str
    operation: Callable[[Call], Awaitable[dict[str, Any]]]
    params: Any = None
    kind_listed: str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is not plain JSON: a page, a file, another status."""

    body: bytes
    status: int = 200
    content_type: str = "text/html; charset=utf-8"
    headers: Sequence[tuple[bytes, bytes]] = ()


@dataclass(frozen=True, slots=True)
class ControlCall:
    """One request to the sandbox's own addresses; `body` is its JSON object, `{}` without one."""

    world: World
    body: dict[str, Any] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    path: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ControlRoute:
    """One address of the sandbox itself, under `/_sandbox`."""

    method: str
    template: str
    operation: Callable[[ControlCall], Awaitable[dict[str, Any] | Reply]]


AnyRoute = TypeVar("AnyRoute", Route, ControlRoute)


class Router(Generic[AnyRoute]):
    """Finds the route of a request: whole addresses first, then those with names in them."""

    def __init__(self, routes: Sequence[AnyRoute]) -> None:
        self.whole: dict[tuple[str, str], AnyRoute] = {}
        self.named: dict[tuple[str, int], list[tuple[list[str], AnyRoute]]] = {}
        for route in routes:
            if "{" not in route.template:
                self.whole[route.method, route.template] = route
                continue
            parts = route.template.split("/")
            self.named.setdefault((route.method, len(parts)), []).append((parts, route))

    def find(self, method: str, path: str) -> tuple[AnyRoute, dict[str, str]] | None:
        """Give the route and what its names stand for, or None when there is no such address."""
        route = self.whole.get((method, path))
        if route is not None:
            return route, {}
        parts = path.split("/")
        for template, named in self.named.get((method, len(parts)), ()):
            values = _match(template, parts)
            if values is not None:
                return named, values
        return None


def _match(template: list[str], parts: list[str]) -> dict[str, str] | None:
    values = {}
    for expected, part in zip(template, parts, strict=True):
        if expected.startswith("{"):
            values[expected[1:-1]] = part
        elif expected != part:
            return None
    return values
