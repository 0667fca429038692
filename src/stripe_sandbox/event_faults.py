"""Faults of events on their way to the product: lost for ever, held back, or sent more than once.

Stripe promises neither an order nor that an event comes only once, and an endpoint that is down for
longer than Stripe retries misses events for good (https://docs.stripe.com/webhooks). The event is
always there under `GET /v1/events`. Real-time requests are no deliveries: their faults are others.
"""

from typing import Any, Literal

import msgspec

from stripe_sandbox.ids import new_id

Action = Literal["lose", "hold", "duplicate"]
MOST_COPIES = 100


class EventFault(msgspec.Struct):
    """One fault, for events of a type; `issuing_*` is every type that begins so, `*` every one.

    `times` is how many more events it strikes, None is every one. `copies` is how often a doubled
    event is sent beside the first time. `struck` are the events it has struck, `fired` how many.
    """

    action: Action
    type: str = "*"
    times: int | None = 1
    copies: int = 1
    fired: int = 0
    struck: list[str] = []
    id: str = msgspec.field(default_factory=lambda: new_id("fault"))

    def strikes(self, type_: str) -> bool:
        if self.times == 0:
            return False
        if self.type.endswith("*"):
            return type_.startswith(self.type[:-1])
        return type_ == self.type


class Fate(msgspec.Struct, frozen=True):
    """What the faults make of one event."""

    is_lost: bool = False
    is_held: bool = False
    copies: int = 0


class BadEventFault(ValueError):
    """A fault that cannot be understood."""


class EventFaults:
    def __init__(self) -> None:
        self.held: list[EventFault] = []

    def add(self, wanted: dict[str, Any]) -> EventFault:
        """Arm a fault, or raise `BadEventFault`."""
        unknown = wanted.keys() - {"action", "type", "times", "copies"}
        if unknown:
            raise BadEventFault(f"unknown field: {min(unknown)}")
        try:
            fault = msgspec.convert(wanted, EventFault)
        except msgspec.ValidationError as error:
            raise BadEventFault(str(error)) from error
        if not 1 <= fault.copies <= MOST_COPIES:
            raise BadEventFault(f"copies is between 1 and {MOST_COPIES}")
        self.held.append(fault)
        return fault

    def clear(self) -> None:
        self.held.clear()

    def armed(self) -> int:
        """How many can still strike."""
        return sum(1 for fault in self.held if fault.times != 0)

    def shown(self) -> list[dict[str, Any]]:
        return [msgspec.structs.asdict(fault) for fault in self.held]

    def fate_of(self, event_id: str, type_: str) -> Fate:
        """Say what becomes of an event, and count the faults that struck it.

        Of each action the first armed fault strikes. What is lost is neither held nor doubled.
        """
        if self._strike("lose", event_id, type_) is not None:
            return Fate(is_lost=True)
        held = self._strike("hold", event_id, type_)
        doubled = self._strike("duplicate", event_id, type_)
        return Fate(is_held=held is not None, copies=0 if doubled is None else doubled.copies)

    def _strike(self, action: Action, event_id: str, type_: str) -> EventFault | None:
        for fault in self.held:
            if fault.action == action and fault.strikes(type_):
                fault.fired += 1
                fault.struck.append(event_id)
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None
