"""Checks every exchange with the sandbox, and every event it sends, as they happen."""

import re
from typing import Any

import msgspec

from stripe_sandbox.answering import Exchange
from stripe_sandbox.books import violations
from stripe_sandbox.world import World
from tests.conformance.spec import check_event, check_request, check_response

BAD_REQUEST = 400
FIRST_FAULT = 500
INDEX = re.compile(r"\[\d+\]")
ID = re.compile(r"\b[a-z]+_(?:test_|priv_)?(?=[A-Za-z]*\d)[A-Za-z0-9]{8,}\b")


class Recorder:
    """What `create_sandbox(record=…)` calls.

    Requests that the sandbox refused with 400 are held to the schema only with `strict_requests`:
    tests of the sandbox send wrong ones on purpose, the product's adapter never may. A request that
    the sandbox accepted must be one that Stripe accepts. Answers of 500 and above, and those that
    are not JSON, are a test's own faults and are not looked at.
    """

    def __init__(self, *, strict_requests: bool = False) -> None:
        self.strict_requests = strict_requests
        self.exchanges = 0
        self.events = 0
        self._problems: dict[str, None] = {}

    def __call__(self, exchange: Exchange) -> None:
        self.exchanges += 1
        method, path, status = exchange.method, exchange.template, exchange.status
        if status != BAD_REQUEST or self.strict_requests:
            found = check_request(method, path, exchange.pairs)
            self._keep(f"{method} {path} request", found)
        if status < FIRST_FAULT and exchange.response is not None:
            found = check_response(method, path, status, exchange.response)
            self._keep(f"{method} {path} answered {status}", found)

    def events_of(self, world: World) -> None:
        """Check every event that a sandbox remembers, as it was or would be delivered."""
        for event in world.store.objects.get("event", {}).values():
            self.event(msgspec.json.decode(event.body))

    def books_of(self, world: World) -> None:
        """Check that a sandbox's balances and holds agree with what moved them."""
        self._keep("books", violations(world))

    def event(self, event: Any) -> None:
        """Check an event as it was delivered to an endpoint."""
        self.events += 1
        kind = event.get("type") if isinstance(event, dict) else None
        self._keep(f"event {kind}", check_event(event))

    @property
    def problems(self) -> list[str]:
        """Each kind of problem once, in the order of their appearance."""
        return list(self._problems)

    def take(self) -> list[str]:
        """Give the problems and forget them, so that each is blamed on one test."""
        problems = self.problems
        self._problems.clear()
        return problems

    def _keep(self, where: str, found: list[str]) -> None:
        for line in found:
            self._problems[f"{where} · {ID.sub('…', INDEX.sub('[]', line))}"] = None
