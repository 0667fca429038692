"""A list of every purchase as a file: the memory it takes, and the decisions made meanwhile."""

import asyncio
import time
from collections.abc import Sequence

import aiohttp
import msgspec

from bench.load import Run, at_rate, together
from bench.machine import resident_mib
from bench.report import Figure, Row, Table, at_most
from bench.servers import Served

PER_SECOND = 20
ADDRESS = "/admin/purchases/export"
P99_RISE_MS = 100.0
GROWTH_MIB = 16.0
LOOKED_AT_EVERY_BYTES = 256 * 1024


class Exported(msgspec.Struct):
    """A file as it came: its rows and seconds, and the process's memory along it, in MiB."""

    rows: int = 0
    seconds: float = 0.0
    before_mib: float = 0.0
    along_mib: list[float] = []

    @property
    def growth_mib(self) -> float:
        """Give by how much the most that was taken is above the most of the first tenth."""
        tenth = self.along_mib[: max(len(self.along_mib) // 10, 1)]
        return max(self.along_mib) - max(tenth)


async def decide(deciding: Served, cards: Sequence[str], seconds: float) -> Run:
    """Send purchases at the rate while nobody is in the back office."""
    await at_rate(deciding.purchases, cards, PER_SECOND, 1.0)
    return await at_rate(deciding.purchases, cards, PER_SECOND, seconds)


async def export(
    member: aiohttp.ClientSession,
    office: Served,
    deciding: Served,
    cards: Sequence[str],
    piece_seconds: float,
) -> tuple[Exported, Run]:
    """Read the file to its end, and send purchases at the rate as long as that takes."""
    file = Exported(before_mib=resident_mib(office.pid))
    reading = asyncio.create_task(_read(member, office, file))
    pieces = []
    while not reading.done():
        pieces.append(await at_rate(deciding.purchases, cards, PER_SECOND, piece_seconds))
    await reading
    return file, together(pieces)


async def _read(member: aiohttp.ClientSession, office: Served, file: Exported) -> None:
    began, unseen = time.perf_counter(), LOOKED_AT_EVERY_BYTES
    timeout = aiohttp.ClientTimeout(total=None, sock_read=60)
    async with member.get(ADDRESS, timeout=timeout) as response:
        assert response.status == 200, response.status  # noqa: PLR2004
        async for piece in response.content.iter_any():
            file.rows += piece.count(b"\n")
            unseen += len(piece)
            if unseen >= LOOKED_AT_EVERY_BYTES:
                unseen = 0
                file.along_mib.append(resident_mib(office.pid))
    file.rows -= 1  # the headings
    file.seconds = time.perf_counter() - began


def table(calm: Run, busy: Run, file: Exported) -> Table:
    title = (
        f"Decisions at {PER_SECOND} a second, and while {file.rows:,} purchases are exported"
        f" ({file.rows / file.seconds:,.0f} a second; {file.before_mib:.0f} MiB before,"
        f" {max(file.along_mib):.0f} at most)"
    )
    return Table(title, [_row("calm", calm), _row("exporting", busy)])


def figures(calm: Run, busy: Run, file: Exported) -> list[Figure]:
    rise = busy.percentile(0.99) - calm.percentile(0.99)
    return [
        at_most("memory grows while exporting, MiB", file.growth_mib, GROWTH_MIB),
        at_most("p99 of a decision rises meanwhile, ms", rise, P99_RISE_MS),
    ]


def _row(when: str, run: Run) -> Row:
    return {
        "when": when,
        "decisions": len(run.milliseconds),
        "p50 ms": round(run.percentile(0.5), 2),
        "p95 ms": round(run.percentile(0.95), 2),
        "p99 ms": round(run.percentile(0.99), 2),
        "not approved": run.not_approved,
    }
