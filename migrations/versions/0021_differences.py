"""What reconciling finds is kept, run by run."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create(
        "reconciliation_run",
        _moment("began_at"),
        _moment("ended_at"),
        _moment("since", nullable=True),
        sa.Column("begun_by", sa.Text(), nullable=False),
        sa.Column("found", sa.BigInteger(), nullable=False),
        sa.Column("unresolved", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_reconciliation_run_began_at", "reconciliation_run", ["began_at"])
    table = "reconciliation_difference"
    _create(
        table,
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("kind", "what", "name")),
        sa.Column("ours_minor", sa.BigInteger(), nullable=True),
        sa.Column("theirs_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        _moment("since", nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        _moment("first_seen_at"),
        _moment("last_seen_at"),
        _moment("resolved_at", nullable=True),
        sa.Column("resolved_by", sa.Uuid(), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'gone', 'resolved')", name=op.f(f"ck_{table}_differencestate")
        ),
        sa.UniqueConstraint("kind", "what", "name", name=op.f(f"uq_{table}_thing")),
    )
    op.create_index(f"ix_{table}_state", table, ["state", "first_seen_at"])


def downgrade() -> None:
    op.drop_table("reconciliation_difference")
    op.drop_table("reconciliation_run")


def _moment(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _create(table: str, *parts: sa.Column | sa.Constraint) -> None:
    op.create_table(
        table,
        *parts,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
