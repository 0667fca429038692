"""Factories for people: customers, staff, and how they sign in."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from polyfactory import Use
from polyfactory.factories.sqlalchemy_factory import SQLAlchemyFactory

from app.domain.identity.audit_models import AuditEntry, AuditSeal
from app.domain.identity.credential_models import (
    Acceptance,
    Agreement,
    Attempt,
    Credential,
    CustomerRecoveryCode,
    CustomerSession,
    IdentityDraft,
    MailedToken,
    SecondStep,
    TokenPurpose,
)
from app.domain.identity.desk_models import CustomerNote, TakenWork
from app.domain.identity.models import Customer, SignInFailure, Staff, StaffSession
from app.domain.identity.staff_models import Approval, RecoveryCode, StaffChallenge, StaffInvitation
from app.domain.identity.states import ApprovalState, CustomerState, Role, StaffState
from app.domain.identity.submission_models import Submission
from app.domain.mailing.models import Mail, MailKind, MailState
from app.money import Currency
from tests.factories.base import TableFactory, named, nothing_told, now


class CustomerFactory(TableFactory[Customer]):
    in_debt_since = None
    email = Use(lambda: f"{uuid4().hex}@example.com")
    state = CustomerState.ACTIVE
    currency = Currency.USD
    exposure_limit_minor = 500_000
    terms_accepted_at = Use(now)
    stripe_customer_id = named("cus")
    stripe_cardholder_id = named("ich")


class StaffFactory(TableFactory[Staff]):
    email = Use(lambda: f"{uuid4().hex}@example.com")
    roles = Use(lambda: [Role.SUPPORT.value])
    state = StaffState.ACTIVE
    demo = False
    totp_salt = None
    totp_last_step = 0


class StaffSessionFactory(TableFactory[StaffSession]):
    token_hash = Use(lambda: uuid4().bytes)
    last_seen_at = Use(now)
    expires_at = Use(now)
    ended_at = None


class StaffInvitationFactory(TableFactory[StaffInvitation]):
    token_hash = Use(lambda: uuid4().bytes)
    expires_at = Use(now)
    used_at = None


class SignInFailureFactory(TableFactory[SignInFailure]):
    pass


class AuditEntryFactory(TableFactory[AuditEntry]):
    before = None
    after = None
    transaction_id = 1


class AuditSealFactory(SQLAlchemyFactory[AuditSeal]):
    entries = 1


class StaffChallengeFactory(TableFactory[StaffChallenge]):
    token_hash = Use(lambda: uuid4().bytes)
    totp_salt = None
    expires_at = Use(now)
    used_at = None


class RecoveryCodeFactory(TableFactory[RecoveryCode]):
    code_hash = Use(lambda: uuid4().bytes)
    used_at = None


def other_roles() -> dict[str, Any]:
    return {"name": "Grace", "before": ["support"], "after": ["risk"]}


class ApprovalFactory(TableFactory[Approval]):
    kind = "staff.roles"
    arguments = Use(other_roles)
    state = ApprovalState.WAITING
    expires_at = Use(lambda: now() + timedelta(hours=1))
    decided_by = None
    decided_at = None


class CredentialFactory(TableFactory[Credential]):
    email = Use(lambda: f"{uuid4().hex}@example.com")
    email_verified_at = Use(now)
    password_changed_at = Use(now)
    customer_id = None
    mail_off: list[str] = []


class CustomerSessionFactory(TableFactory[CustomerSession]):
    token_hash = Use(lambda: uuid4().bytes)
    device_hash = Use(lambda: uuid4().bytes)
    last_seen_at = Use(now)
    expires_at = Use(now)
    password_at = Use(now)
    ended_at = None
    half = False


class SecondStepFactory(TableFactory[SecondStep]):
    salt = Use(lambda: uuid4().bytes)
    confirmed_at = None
    last_step = 0


class CustomerRecoveryCodeFactory(TableFactory[CustomerRecoveryCode]):
    code_hash = Use(lambda: uuid4().bytes)
    used_at = None


class MailedTokenFactory(TableFactory[MailedToken]):
    purpose = TokenPurpose.RESET_PASSWORD
    email = Use(lambda: f"{uuid4().hex}@example.com")
    credential_id = None
    password_hash = None
    token_hash = Use(lambda: uuid4().bytes)
    expires_at = Use(now)
    used_at = None


class AttemptFactory(TableFactory[Attempt]):
    kind = "sign_in"


class IdentityDraftFactory(TableFactory[IdentityDraft]):
    answers = Use(nothing_told)


class AgreementFactory(TableFactory[Agreement]):
    kind = "terms"
    sha256 = Use(lambda: uuid4().hex)


class AcceptanceFactory(TableFactory[Acceptance]):
    accepted_at = Use(now)


class MailFactory(TableFactory[Mail]):
    credential_id = None
    about = None
    recipient = Use(lambda: f"{uuid4().hex}@example.com")
    kind = MailKind.NEW_DEVICE
    secret = None
    state = MailState.WAITING
    attempts = 0
    failure = None
    sent_at = None


class SubmissionFactory(TableFactory[Submission]):
    action = "card.freeze"


class CustomerNoteFactory(TableFactory[CustomerNote]):
    text = "Called about a refund."


class TakenWorkFactory(TableFactory[TakenWork]):
    queue = "reviews"
    key = Use(lambda: uuid4().hex)
