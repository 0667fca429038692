"""The job queue: pgqueuer's own tables, trigger and function, for the version in the lock file."""

from alembic import op
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for statement in _statements(QueryBuilderEnvironment().build_install_query()):
        op.execute(statement)


def downgrade() -> None:
    for statement in _statements(QueryBuilderEnvironment().build_uninstall_query()):
        op.execute(statement)


def _statements(script: str) -> list[str]:
    """Split at semicolons outside the one function body: the driver takes a statement at a time."""
    parts = script.split("$$")
    for inside in range(1, len(parts), 2):
        parts[inside] = parts[inside].replace(";", "\0")
    return [s.replace("\0", ";") for s in "$$".join(parts).split(";") if s.strip()]
