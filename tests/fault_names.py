"""What the faults of a run are called, where a test's report carries them to its summary."""

from collections.abc import Callable
from typing import Any

FAULT = "fault"
"""The property of a test's report that names one fault; it stands there as often as it fired."""
KILLED = "process killed"
"""How the names of those faults begin that end the process which answers."""

Count = Callable[[str], None]


def at_stripe(fault: dict[str, Any]) -> str:
    """Name a fault as the sandbox shows it."""
    does = str(fault["status"]) if fault["action"] == "status" else fault["action"]
    garbled = " with a body of another kind" if fault["body"] is not None else ""
    when = ", having done it" if fault["after_effect"] else ""
    return f"Stripe: {does.replace('_', ' ')}{garbled}{when}"
