"""Every table of the product, so that one import knows them all."""

from app.domain.funding.balance_models import BalanceTransaction
from app.domain.funding.linking_models import CardLinking
from app.domain.funding.models import Charge, FundingSource, PricePlan
from app.domain.funding.refund_models import Receivable, Refund
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
)
from app.domain.identity.desk_models import CustomerNote, TakenWork
from app.domain.identity.models import Customer, SignInFailure, Staff, StaffSession
from app.domain.identity.staff_models import Approval, RecoveryCode, StaffChallenge, StaffInvitation
from app.domain.identity.submission_models import Submission
from app.domain.issuing.control_models import Allowance, DecisionRule, FlightRecord
from app.domain.issuing.decline_rows import DeclinedRequest
from app.domain.issuing.difference_models import ReconciliationDifference, ReconciliationRun
from app.domain.issuing.mirror_models import MirrorOrder
from app.domain.issuing.models import Authorization, AuthorizationRequest, Card, CardTransaction
from app.domain.issuing.profit_days import ProfitDay
from app.domain.issuing.traffic import QuarterHour
from app.domain.ledger.models import AccountDay, JournalEntry, OpenClearing, RollupMark, Seal
from app.domain.mailing.models import Mail
from app.heartbeat import Heartbeat
from app.regular_job import RegularJob
from app.webhooks.models import InboundEvent

TABLES = (
    Acceptance,
    AccountDay,
    Agreement,
    Allowance,
    Approval,
    Attempt,
    AuditEntry,
    AuditSeal,
    Authorization,
    AuthorizationRequest,
    BalanceTransaction,
    Card,
    CardLinking,
    CardTransaction,
    Charge,
    Credential,
    Customer,
    CustomerRecoveryCode,
    CustomerNote,
    CustomerSession,
    DecisionRule,
    DeclinedRequest,
    FlightRecord,
    FundingSource,
    Heartbeat,
    IdentityDraft,
    InboundEvent,
    JournalEntry,
    Mail,
    MailedToken,
    MirrorOrder,
    OpenClearing,
    PricePlan,
    ProfitDay,
    QuarterHour,
    Receivable,
    ReconciliationDifference,
    ReconciliationRun,
    RecoveryCode,
    Refund,
    RegularJob,
    RollupMark,
    Seal,
    SecondStep,
    SignInFailure,
    Staff,
    StaffChallenge,
    StaffInvitation,
    StaffSession,
    Submission,
    TakenWork,
)
