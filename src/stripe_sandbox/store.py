"""Every object of one sandbox: in memory to read and change, in SQLite to outlive the process."""

import asyncio
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

# Lists are filtered by these fields so often that each value keeps its own list of ids.
INDEXED: Mapping[str, tuple[str, ...]] = {
    "balance_transaction": ("source",),
    "charge": ("payment_intent", "customer"),
    "issuing.authorization": ("status", "card", "cardholder"),
    "issuing.card": ("cardholder",),
    "issuing.transaction": ("authorization", "card", "cardholder"),
    "payment_intent": ("customer",),
    "payment_method": ("customer",),
    "refund": ("payment_intent", "charge"),
    "sandbox.given_back": ("of",),
    "setup_intent": ("customer",),
    "topup": ("status",),
}
# What is kept for convenience and would otherwise grow for ever: the oldest are forgotten.
KEPT: Mapping[str, int] = {
    "event": 50_000,
    "sandbox.delivery": 5_000,
    "sandbox.idempotency": 20_000,
    "sandbox.undelivered": 50_000,
}

# Writing is done in pieces, so that encoding them never holds up a request for long.
BATCH = 200

Key = tuple[str, str]


class Store:
    """Objects by kind and id, oldest first.

    `decoders` says how a kind is read back; a kind that is not named there is a plain object.
    """

    def __init__(self, path: Path | None, decoders: Mapping[str, type[Any]]) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.kinds: dict[str, str] = {}
        self._decoders = {kind: msgspec.json.Decoder(type_) for kind, type_ in decoders.items()}
        self._plain = msgspec.json.Decoder(dict[str, Any])
        self._encoder = msgspec.json.Encoder()
        self._index: dict[tuple[str, str, Any], dict[str, None]] = {}
        self._indexed: dict[Key, tuple[Any, ...]] = {}
        self._changed: dict[Key, None] = {}
        self._positions: dict[Key, int] = {}
        self._next_position = 0
        self._flushing = asyncio.Lock()
        self._writing: asyncio.Task[None] | None = None
        self._database = _open(path) if path is not None else None
        if self._database is not None:
            self._load(self._database)

    def put(self, kind: str, object_id: str, value: Any) -> None:
        """Keep an object, new or changed."""
        held = self.objects.setdefault(kind, {})
        is_new = object_id not in held
        held[object_id] = value
        if is_new:
            self.kinds[object_id] = kind
            self._position((kind, object_id))
        if kind in INDEXED:
            self._reindex(kind, object_id, value)
        self._changed[kind, object_id] = None
        if is_new and len(held) > KEPT.get(kind, len(held)):
            self.remove(kind, next(iter(held)))

    def get(self, kind: str, object_id: str) -> Any | None:
        return self.objects.get(kind, {}).get(object_id)

    def kind_of(self, object_id: str) -> str | None:
        return self.kinds.get(object_id)

    def newest_first(self, kind: str, **equal: Any) -> Iterator[Any]:
        """Give the objects of a kind whose fields have these values (None asks for nothing)."""
        wanted = {name: value for name, value in equal.items() if value is not None}
        held = self.objects.get(kind, {})
        sets = [
            self._index.get((kind, name, wanted.pop(name)), {})
            for name in INDEXED.get(kind, ())
            if name in wanted
        ]
        if sets:
            smallest, *others = sorted(sets, key=len)
            ids = (one for one in reversed(smallest) if all(one in other for other in others))
            objects: Iterator[Any] = (held[object_id] for object_id in ids)
        else:
            objects = reversed(held.values())
        for value in objects:
            if all(value.get(name) == expected for name, expected in wanted.items()):
                yield value

    def remove(self, kind: str, object_id: str) -> None:
        if self.objects.get(kind, {}).pop(object_id, None) is None:
            return
        self.kinds.pop(object_id, None)
        for name, value in zip(
            INDEXED.get(kind, ()), self._indexed.pop((kind, object_id), ()), strict=False
        ):
            self._index[kind, name, value].pop(object_id, None)
        self._changed[kind, object_id] = None

    def clear(self) -> None:
        for kind, held in list(self.objects.items()):
            for object_id in list(held):
                self.remove(kind, object_id)

    async def flush(self) -> None:
        """Write what has changed. The disk is waited for in a thread, so no request is.

        Who gives up waiting does not end the writing: the next flush waits for it to be over.
        """
        self._writing = asyncio.create_task(self._write_changes())
        await asyncio.shield(self._writing)

    async def _write_changes(self) -> None:
        async with self._flushing:
            if self._database is None or not self._changed:
                return
            changed, self._changed = self._changed, {}
            for keys in _pieces(list(changed)):
                await asyncio.to_thread(_write, self._database, [self._row(key) for key in keys])

    async def close(self) -> None:
        await self.flush()
        if self._database is not None:
            self._database.close()

    def _row(self, key: Key) -> tuple[str, str, int, bytes | None]:
        kind, object_id = key
        value = self.get(kind, object_id)
        if value is None:
            return kind, object_id, self._positions.pop(key, 0), None
        return kind, object_id, self._positions[key], self._encoder.encode(value)

    def _position(self, key: Key) -> None:
        self._positions[key] = self._next_position
        self._next_position += 1

    def _reindex(self, kind: str, object_id: str, value: Any) -> None:
        names = INDEXED[kind]
        now = tuple(value.get(name) for name in names)
        before = self._indexed.get((kind, object_id))
        if now == before:
            return
        if before is not None:
            for name, old in zip(names, before, strict=True):
                self._index[kind, name, old].pop(object_id, None)
        for name, new in zip(names, now, strict=True):
            self._index.setdefault((kind, name, new), {})[object_id] = None
        self._indexed[kind, object_id] = now

    def _load(self, database: sqlite3.Connection) -> None:
        for kind, object_id, body in database.execute(
            "SELECT kind, id, body FROM object ORDER BY position"
        ):
            self.put(kind, object_id, self._decoders.get(kind, self._plain).decode(body))
        # Positions were given anew, in the same order; only what changes from here is written,
        # with positions after every one that is on disk.
        last = database.execute("SELECT max(position) FROM object").fetchone()[0]
        self._next_position = max(self._next_position, (last or 0) + 1)
        self._changed.clear()


def _pieces(keys: list[Key]) -> Iterator[list[Key]]:
    for start in range(0, len(keys), BATCH):
        yield keys[start : start + BATCH]


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)  # It holds signing secrets.
    database = sqlite3.connect(path, check_same_thread=False)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute(
        "CREATE TABLE IF NOT EXISTS object ("
        "kind TEXT, id TEXT, position INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (kind, id))"
    )
    database.commit()
    return database


def _write(database: sqlite3.Connection, rows: list[tuple[str, str, int, bytes | None]]) -> None:
    with database:
        database.executemany(
            "DELETE FROM object WHERE kind = ? AND id = ?",
            [(kind, object_id) for kind, object_id, _, body in rows if body is None],
        )
        database.executemany(
            "INSERT INTO object VALUES (?, ?, ?, ?)"
            " ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body",
            [row for row in rows if row[3] is not None],
        )
