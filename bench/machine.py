"""The machine a benchmark ran on, and the processor time that its processes took."""

import os
import platform
from collections.abc import Iterator
from pathlib import Path

PROCESSES = Path("/proc")
# Of /proc/PID/stat, counted after the name's closing bracket: man proc_pid_stat.
_PARENT, _TIMES = 1, slice(11, 15)


def machine() -> str:
    """Give the machine in one line."""
    parts = [
        _field("cpuinfo", "model name") or platform.machine(),
        f"{os.cpu_count()} cores",
        f"{int(_field('meminfo', 'MemTotal').split()[0] or 0) // 1024**2} GiB",
        platform.platform(terse=True),
        f"Python {platform.python_version()}",
    ]
    return ", ".join(parts)


def cpu_seconds(pid: int) -> float:
    """Give the processor time of a process and of all below it, those that ended included.

    Nothing where the system has no /proc to read it from.
    """
    ticks = os.sysconf("SC_CLK_TCK")
    return sum(sum(map(int, _stat(p)[_TIMES])) / ticks for p in _family(pid))


def resident_mib(pid: int) -> float:
    """Give the memory that a process and all below it have, in MiB; nothing without /proc."""
    pages = sum(int(_read(p, "statm").split()[1]) for p in _family(pid) if _read(p, "statm"))
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2


def _family(pid: int) -> Iterator[int]:
    yield pid
    children: dict[int, list[int]] = {}
    for folder in PROCESSES.glob("[0-9]*"):
        stat = _stat(int(folder.name))
        children.setdefault(int(stat[_PARENT]), []).append(int(folder.name))
    waiting = [pid]
    while waiting:
        found = children.get(waiting.pop(), [])
        waiting += found
        yield from found


def _stat(pid: int) -> list[str]:
    """Give the fields after the name; zeros for a process that has ended."""
    text = _read(pid, "stat")
    return text.rpartition(")")[2].split() if text else ["0"] * 20


def _read(pid: int, file: str) -> str:
    """Give what the system says of a process; nothing of one that has ended."""
    try:
        return (PROCESSES / str(pid) / file).read_text()
    except OSError:
        return ""


def _field(file: str, name: str) -> str:
    path = PROCESSES / file
    lines = path.read_text().splitlines() if path.exists() else []
    found = (line.partition(":")[2].strip() for line in lines if line.startswith(name))
    return next(found, "0" if file == "meminfo" else "")
