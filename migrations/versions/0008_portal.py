"""The portal: what customers sign in with, what they accept, and the mail to them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = (
    "credential",
    "customer_session",
    "mailed_token",
    "attempt",
    "identity_draft",
    "agreement",
    "acceptance",
    "mail",
)
APPEND_ONLY = ("agreement", "acceptance")
PURPOSES = ("sign_up", "reset_password", "change_email")
KINDS = (
    *("verify_email", "already_signed_up", "reset_password", "password_changed", "new_device"),
    *("change_email", "email_changed"),
)


def upgrade() -> None:
    _make_credentials()
    _make_onboarding()
    _make_mail()
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _make_credentials() -> None:
    _create(
        "credential",
        _text("email"),
        _moment("email_verified_at"),
        _text("password_hash"),
        _moment("password_changed_at"),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        _pointing("credential", "customer_id", "customer"),
        sa.UniqueConstraint("customer_id", name=op.f("uq_credential_customer_id")),
    )
    op.create_index(
        "ix_credential_email", "credential", [sa.literal_column("lower(email)")], unique=True
    )
    _create(
        "customer_session",
        sa.Column("credential_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("device_hash", sa.LargeBinary(), nullable=False),
        _moment("last_seen_at"),
        _moment("expires_at"),
        _moment("ended_at", nullable=True),
        _moment("password_at"),
        _text("address"),
        _text("user_agent"),
        _pointing("customer_session", "credential_id", "credential"),
        sa.UniqueConstraint("token_hash", name=op.f("uq_customer_session_token_hash")),
    )
    op.create_index(
        "ix_customer_session_credential", "customer_session", ["credential_id", "ended_at"]
    )
    _create(
        "mailed_token",
        _word("purpose", "tokenpurpose", *PURPOSES),
        _text("email"),
        sa.Column("credential_id", sa.Uuid(), nullable=True),
        _text("password_hash", nullable=True),
        sa.Column("token_hash", sa.LargeBinary(), nullable=True),
        _moment("expires_at"),
        _moment("used_at", nullable=True),
        _pointing("mailed_token", "credential_id", "credential"),
        sa.UniqueConstraint("token_hash", name=op.f("uq_mailed_token_token_hash")),
    )
    op.create_index("ix_mailed_token_email", "mailed_token", [sa.literal_column("lower(email)")])
    op.create_index("ix_mailed_token_created_at", "mailed_token", ["created_at"])
    _create("attempt", _text("kind"), _text("subject"), _text("address"))
    op.create_index("ix_attempt_subject", "attempt", ["kind", "subject", "created_at"])
    op.create_index("ix_attempt_address", "attempt", ["kind", "address", "created_at"])


def _make_onboarding() -> None:
    _create(
        "identity_draft",
        sa.Column("credential_id", sa.Uuid(), nullable=False),
        sa.Column("answers", JSONB(), nullable=False),
        _pointing("identity_draft", "credential_id", "credential"),
        sa.UniqueConstraint("credential_id", name=op.f("uq_identity_draft_credential_id")),
    )
    _create(
        "agreement",
        *(_text("kind"), _text("version"), _text("text"), _text("sha256")),
        sa.UniqueConstraint("sha256", name=op.f("uq_agreement_sha256")),
    )
    _create(
        "acceptance",
        sa.Column("credential_id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        _moment("accepted_at"),
        _text("address"),
        _text("user_agent"),
        _pointing("acceptance", "credential_id", "credential"),
        _pointing("acceptance", "agreement_id", "agreement"),
    )
    op.create_index(
        "ix_acceptance_credential", "acceptance", ["credential_id", "agreement_id"], unique=True
    )


def _make_mail() -> None:
    _create(
        "mail",
        sa.Column("credential_id", sa.Uuid(), nullable=True),
        _text("recipient"),
        _word("kind", "mailkind", *KINDS),
        _text("subject"),
        _text("text"),
        _text("secret", nullable=True),
        _word("state", "mailstate", "waiting", "sent", "kept", "failed"),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        _text("failure", nullable=True),
        _moment("sent_at", nullable=True),
        sa.CheckConstraint("attempts >= 0", name=op.f("ck_mail_attempts_positive")),
    )
    op.create_index("ix_mail_created_at", "mail", ["created_at"])
    op.create_index("ix_mail_credential", "mail", ["credential_id", "created_at"])
    op.create_index("ix_mail_waiting", "mail", ["created_at"], postgresql_where="state = 'waiting'")


def _create(table: str, *parts: sa.Column | sa.Constraint) -> None:
    op.create_table(
        table,
        *parts,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )


def _text(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _word(name: str, kind: str, *words: str) -> sa.Column:
    choice = sa.Enum(*words, name=kind, native_enum=False, create_constraint=True, length=40)
    return sa.Column(name, choice, nullable=False)


def _pointing(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{target}")
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=name)
