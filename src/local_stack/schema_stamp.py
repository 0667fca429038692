"""Remembers which migrations the stack's own database has had.

Asking Alembic costs two seconds of every start, nearly all of it loading the models.
"""

from hashlib import sha256
from pathlib import Path

from local_stack.postgres import DATABASE, Cluster
from local_stack.refusal import Refusal

_MIGRATIONS = Path(__file__).parents[2] / "migrations"


class SchemaStamp:
    """What was true after the last migration: the revision in the database and every file."""

    def __init__(self, path: Path, cluster: Cluster) -> None:
        self._path = path
        self._cluster = cluster

    def is_current(self) -> bool:
        """Tell whether neither the database nor any migration has changed since."""
        return self._path.exists() and self._path.read_text() == self._now()

    def renew(self) -> None:
        self._path.write_text(self._now())

    def _now(self) -> str:
        files = sorted(_MIGRATIONS.rglob("*.py"))
        contents = b"\0".join(file.read_bytes() for file in files)
        try:
            revision = self._cluster.psql("SELECT version_num FROM alembic_version", DATABASE)
        except Refusal:
            revision = "none"  # there is no such table before the first migration
        return f"{revision} {sha256(contents).hexdigest()}\n"
