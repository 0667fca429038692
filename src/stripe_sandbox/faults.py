"""Faults that a test asks for: late, lost and wrong answers."""

from typing import Any, Literal

import msgspec

from stripe_sandbox.errors import StripeError
from stripe_sandbox.ids import new_id

Action = Literal["delay", "hang", "status", "drop_before", "drop_after"]
LONGEST_HANG_SECONDS = 120
GATEWAY = frozenset({502, 503, 504})
SERVER_ERRORS = 500


class Fault(msgspec.Struct):
    """One fault, for requests with this method and exactly this path (or route template).

    With `after_effect` the operation takes effect before its answer is spoilt, without it it never
    runs (a delay only waits before it). `times` is how often it still fires; None is for ever.
    """

    method: str
    path: str
    action: Action
    after_effect: bool = False
    delay_ms: int = 0
    status: int = 500
    body: str | None = None
    times: int | None = 1
    fired: int = 0
    id: str = msgspec.field(default_factory=lambda: new_id("fault"))

    def runs_first(self) -> bool:
        """Whether the operation takes effect before the fault shows."""
        if self.action == "drop_after":
            return True
        return self.after_effect and self.action != "drop_before"

    def shown_body(self, request_id: str) -> bytes:
        """What is answered in the operation's place: the body asked for, or Stripe's error."""
        if self.body is not None:
            return self.body.encode()
        return msgspec.json.encode(_error(self.status).body(request_id))

    def speaks_for_stripe(self) -> bool:
        """Whether its answer is Stripe's own: not a gateway's, and not garbled on the way."""
        is_whole = self.body is None or is_json(self.body.encode())
        return self.action == "status" and self.status not in GATEWAY and is_whole


class BadFault(ValueError):
    """A fault that cannot be understood."""


class Faults:
    def __init__(self) -> None:
        self.held: list[Fault] = []

    def add(self, wanted: dict[str, Any]) -> Fault:
        """Arm a fault, or raise `BadFault`."""
        try:
            fault = msgspec.convert(
                {key: value for key, value in wanted.items() if key not in ("id", "fired")}, Fault
            )
        except msgspec.ValidationError as error:
            raise BadFault(str(error)) from error
        unknown = wanted.keys() - set(Fault.__struct_fields__)
        if unknown:
            raise BadFault(f"unknown field: {min(unknown)}")
        fault.method = fault.method.upper()
        self.held.append(fault)
        return fault

    def clear(self) -> None:
        self.held.clear()

    def armed(self) -> int:
        """How many can still fire."""
        return sum(1 for fault in self.held if fault.times != 0)

    def shown(self) -> list[dict[str, Any]]:
        return [msgspec.structs.asdict(fault) for fault in self.held]

    def fire(self, method: str, path: str, template: str) -> Fault | None:
        """Give the first armed fault for a request, and count that it fired."""
        for fault in self.held:
            if fault.method == method and fault.path in (path, template) and fault.times != 0:
                fault.fired += 1
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None


def is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body)
    except msgspec.DecodeError:
        return False
    return True


def _error(status: int) -> StripeError:
    """The error that Stripe answers with a status (https://docs.stripe.com/api/errors)."""
    match status:
        case 401:
            return StripeError("Invalid API Key provided: sk_test_****", status=status)
        case 402:
            return StripeError(
                "Your card was declined.",
                status=status,
                type="card_error",
                code="card_declined",
                decline_code="generic_decline",
            )
        case 429:
            return StripeError("Request rate limit exceeded.", status=status, code="rate_limit")
        case 409:
            return StripeError(
                "There is currently another in-progress request using this Idempotent Key.",
                status=status,
                type="idempotency_error",
                code="idempotency_key_in_use",
            )
    if status >= SERVER_ERRORS:
        return StripeError("An unknown error occurred.", status=status, type="api_error")
    return StripeError("This request was refused by a fault.", status=status)
