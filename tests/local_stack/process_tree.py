"""Looks at the machine's processes as Linux shows them in /proc."""

from pathlib import Path

_PROC = Path("/proc")


def words_of(pid: int) -> list[str]:
    """Return what a process was started with; empty when it has ended, reaped or not."""
    try:
        line = (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return []
    return line.decode(errors="replace").rstrip("\0").split("\0") if line else []


def children_of(pid: int) -> list[int]:
    """Return the processes that this one started and that still run."""
    pids = [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]
    return [child for child in pids if _parent_of(child) == pid and words_of(child)]


def descendants_of(pid: int) -> list[int]:
    """Return its children, their children, and so on."""
    children = children_of(pid)
    return children + [below for child in children for below in descendants_of(child)]


def _parent_of(pid: int) -> int | None:
    try:
        status = (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The name, in brackets, may hold anything; the state and the parent follow it.
    return int(status.rpartition(")")[2].split()[1])
