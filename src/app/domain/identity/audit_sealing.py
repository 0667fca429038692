"""The chain of hashes that seals the trail, as the journals have one."""

from app.domain.identity.audit_models import AuditEntry, AuditSeal
from app.domain.sealing.chain import Chain

TRAIL = Chain(
    table=AuditEntry,
    seals=AuditSeal,
    columns=(
        *("id", "created_at", "actor_kind", "actor_id", "action", "subject_kind", "subject_id"),
        *("before", "after", "reason_code", "reason", "address", "request_id", "transaction_id"),
    ),
    counts="entries",
    lock=4_208,
)
