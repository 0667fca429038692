"""What the doctor finds: a check, how bad it is, what was seen, and what to do about it."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec


class Level(StrEnum):
    """WARN: it works today. FAIL: purchases are declined, or money does not agree."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(msgspec.Struct, frozen=True):
    check: str
    level: Level
    seen: str
    to_do: str = ""


def ok(check: str, seen: str) -> Finding:
    return Finding(check, Level.OK, seen)


def warn(check: str, seen: str, to_do: str) -> Finding:
    return Finding(check, Level.WARN, seen, to_do)


def fail(check: str, seen: str, to_do: str) -> Finding:
    return Finding(check, Level.FAIL, seen, to_do)


def table(findings: Sequence[Finding]) -> str:
    """Write findings for a person: a line for each, and under it what to do."""
    width = max(len(finding.check) for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{finding.level.value:<5} {finding.check:<{width}}  {finding.seen}")
        if finding.to_do:
            lines.append(f"{'':<{7 + width}} {finding.to_do}")
    return "\n".join(lines)
