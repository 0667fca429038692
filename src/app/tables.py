"""Every table of the product, so that one import knows them all."""

from app.domain.funding.models import Charge, FundingSource, PricePlan
from app.domain.identity.models import AuditEntry, Customer, SignInFailure, Staff, StaffSession
from app.domain.issuing.models import Authorization, AuthorizationRequest, Card, CardTransaction
from app.webhooks.models import InboundEvent

TABLES = (
    AuditEntry,
    Authorization,
    AuthorizationRequest,
    Card,
    CardTransaction,
    Charge,
    Customer,
    FundingSource,
    InboundEvent,
    PricePlan,
    SignInFailure,
    Staff,
    StaffSession,
)
