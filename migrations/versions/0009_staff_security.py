"""Staff: a second factor, requests that another one approves, and a trail that is sealed."""

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

RENAME_DEMO = """
UPDATE staff SET email = replace(email, '@demo.proxycard.test', '@example.com')
 WHERE demo AND NOT EXISTS (
       SELECT FROM staff AS other
        WHERE lower(other.email)
              = replace(lower(staff.email), '@demo.proxycard.test', '@example.com'))
"""
STATES = ("waiting", "approved", "refused", "withdrawn", "expired")


def upgrade() -> None:
    _widen_staff()
    _make_second_factor()
    _make_approvals()
    _seal_the_trail()


def downgrade() -> None:
    op.drop_table("audit_seal")
    for index in ("transaction", "action", "actor"):
        op.drop_index(f"ix_audit_entry_{index}", "audit_entry")
    op.drop_column("audit_entry", "transaction_id")
    op.drop_column("audit_entry", "reason_code")
    for table in ("approval", "recovery_code", "staff_challenge"):
        op.drop_table(table)
    for column in ("totp_last_step", "totp_salt", "demo"):
        op.drop_column("staff", column)


def _widen_staff() -> None:
    for column in (
        sa.Column("demo", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("totp_salt", sa.LargeBinary(), nullable=True),
        sa.Column("totp_last_step", sa.BigInteger(), nullable=False, server_default="0"),
    ):
        op.add_column("staff", column)
    op.alter_column("staff", "demo", server_default=None)
    op.alter_column("staff", "totp_last_step", server_default=None)
    op.execute("UPDATE staff SET demo = true WHERE email LIKE '%@demo.proxycard.test'")
    op.execute(RENAME_DEMO)


def _make_second_factor() -> None:
    _create(
        "staff_challenge",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("totp_salt", sa.LargeBinary(), nullable=True),
        _moment("expires_at"),
        _moment("used_at", nullable=True),
        _pointing("staff_challenge", "staff_id"),
        sa.UniqueConstraint("token_hash", name=op.f("uq_staff_challenge_token_hash")),
    )
    op.create_index("ix_staff_challenge_created_at", "staff_challenge", ["created_at"])
    _create(
        "recovery_code",
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        _moment("used_at", nullable=True),
        _pointing("recovery_code", "staff_id"),
        sa.UniqueConstraint("code_hash", name=op.f("uq_recovery_code_code_hash")),
    )
    op.create_index("ix_recovery_code_staff_id", "recovery_code", ["staff_id"])


def _make_approvals() -> None:
    _create(
        "approval",
        *map(_text, ("kind", "subject_kind", "subject_id")),
        sa.Column("arguments", JSONB(), nullable=False),
        *map(_text, ("reason_code", "note")),
        _state(),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        _moment("expires_at"),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        _moment("decided_at", nullable=True),
        sa.Column("decision_note", sa.Text(), nullable=True),
        _pointing("approval", "requested_by"),
        _pointing("approval", "decided_by"),
        _check("four_eyes", "decided_by <> requested_by"),
        _check(
            "a_day",
            "expires_at > created_at AND expires_at <= created_at + interval '24 hours'",
        ),
        _check(
            "decided_in_time",
            "(state = 'waiting') = (decided_at IS NULL)"
            " AND (state IN ('approved', 'refused')) = (decided_by IS NOT NULL)"
            " AND (decided_by IS NULL OR decided_at < expires_at)",
        ),
    )
    subject = ["subject_kind", "subject_id"]
    op.create_index(
        "ix_approval_waiting",
        "approval",
        ["kind", *subject],
        unique=True,
        postgresql_where="state = 'waiting'",
    )
    op.create_index("ix_approval_created_at", "approval", ["created_at"])
    op.create_index("ix_approval_subject", "approval", subject)


def _seal_the_trail() -> None:
    """Number the entries by their transactions, and make the table of seals.

    Entries from before this get the number of this transaction, and so belong to the first batch.
    """
    op.add_column("audit_entry", sa.Column("reason_code", sa.Text(), nullable=True))
    op.add_column(
        "audit_entry",
        sa.Column(
            "transaction_id",
            sa.BigInteger(),
            server_default=sa.text("(pg_current_xact_id()::text)::bigint"),
            nullable=False,
        ),
    )
    op.create_index("ix_audit_entry_actor", "audit_entry", ["actor_id", "created_at"])
    op.create_index("ix_audit_entry_action", "audit_entry", ["action", "created_at"])
    op.create_index(
        "ix_audit_entry_transaction",
        "audit_entry",
        ["transaction_id"],
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on"},
    )
    op.create_table(
        "audit_seal",
        sa.Column("number", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("from_transaction", sa.BigInteger(), nullable=False),
        sa.Column("until_transaction", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        _text("hash"),
        _moment("sealed_at", server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_audit_seal")),
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seal"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    role = context.config.attributes["application_role"]
    if role is not None:
        for table in ("audit_entry", "audit_seal"):
            op.execute(f'REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM "{role}"')


def _create(table: str, *parts: sa.Column | sa.Constraint) -> None:
    op.create_table(
        table,
        *parts,
        sa.Column("id", sa.Uuid(), nullable=False),
        _moment("created_at", server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )


def _text(name: str) -> sa.Column:
    return sa.Column(name, sa.Text(), nullable=False)


def _moment(name: str, *, nullable: bool = False, **more: object) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, **more)


def _state() -> sa.Column:
    choice = sa.Enum(
        *STATES, name="approvalstate", native_enum=False, create_constraint=True, length=40
    )
    return sa.Column("state", choice, nullable=False)


def _check(name: str, what: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(what, name=op.f(f"ck_approval_{name}"))


def _pointing(table: str, column: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_staff")
    return sa.ForeignKeyConstraint([column], ["staff.id"], name=name)
