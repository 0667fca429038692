"""One factory for each table: a row the database accepts, with what matters spelled out."""

from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

from polyfactory import Use
from polyfactory.factories.sqlalchemy_factory import SQLAlchemyFactory
from uuid_utils.compat import uuid7

from app.db import Table
from app.domain.funding.models import Charge, FundingSource, PricePlan
from app.domain.funding.states import ChargeState, FundingMode, FundingSourceState
from app.domain.identity.models import AuditEntry, Customer, SignInFailure, Staff, StaffSession
from app.domain.identity.states import CustomerState, Role, StaffState
from app.domain.issuing.models import Authorization, AuthorizationRequest, Card, CardTransaction
from app.domain.issuing.states import (
    AuthorizationState,
    CardState,
    RequestState,
    TransactionKind,
)
from app.money import Currency
from app.webhooks.models import EventState, InboundEvent

Row = TypeVar("Row", bound=Table)


def _now() -> datetime:
    return datetime.now(UTC)


def _nothing_listed() -> list[UUID]:
    return []


def _nothing_told() -> dict[str, Any]:
    return {}


def _name(prefix: str) -> Any:
    return Use(lambda: f"{prefix}_{uuid4().hex}")


class TableFactory(SQLAlchemyFactory[Row]):
    __is_base_factory__ = True
    __set_relationships__ = False
    __random_seed__ = 1

    id = Use(uuid7)
    created_at = Use(_now)


class CustomerFactory(TableFactory[Customer]):
    email = Use(lambda: f"{uuid4().hex}@example.com")
    state = CustomerState.ACTIVE
    currency = Currency.USD
    exposure_limit_minor = 500_000
    terms_accepted_at = Use(_now)
    stripe_customer_id = _name("cus")
    stripe_cardholder_id = _name("ich")


class StaffFactory(TableFactory[Staff]):
    email = Use(lambda: f"{uuid4().hex}@example.com")
    roles = Use(lambda: [Role.SUPPORT.value])
    state = StaffState.ACTIVE


class StaffSessionFactory(TableFactory[StaffSession]):
    token_hash = Use(lambda: uuid4().bytes)
    last_seen_at = Use(_now)
    expires_at = Use(_now)
    ended_at = None


class SignInFailureFactory(TableFactory[SignInFailure]):
    pass


class AuditEntryFactory(TableFactory[AuditEntry]):
    before = None
    after = None


class FundingSourceFactory(TableFactory[FundingSource]):
    stripe_payment_method_id = _name("pm")
    state = FundingSourceState.ACTIVE
    priority = 1
    is_default = True
    brand = "visa"
    last4 = "4242"
    exp_month = 12
    exp_year = 2030


class PricePlanFactory(TableFactory[PricePlan]):
    effective_from = Use(_now)
    percent_bps = 500
    fixed_minor = 50
    minimum_minor = 0
    currency = Currency.USD


class ChargeFactory(TableFactory[Charge]):
    funding_source_id = None
    attempt = 1
    idempotency_key = _name("key")
    amount_minor = 2149
    captured_minor = 0
    refunded_minor = 0
    currency = Currency.USD
    state = ChargeState.HELD
    capture_before = None
    stripe_payment_intent_id = _name("pi")


class CardFactory(TableFactory[Card]):
    stripe_card_id = _name("ic")
    last4 = "1234"
    exp_month = 12
    exp_year = 2029
    state = CardState.ACTIVE
    currency = Currency.USD
    daily_limit_minor = 100_000
    monthly_limit_minor = 500_000
    purchase_limit_minor = None
    merchant_lock = None
    single_use = False


class AuthorizationFactory(TableFactory[Authorization]):
    stripe_authorization_id = _name("iauth")
    card_id = None
    customer_id = None
    occurred_at = Use(_now)
    state = AuthorizationState.PENDING
    approved = True
    amount_minor = 1999
    currency = Currency.USD
    not_handled = None
    leased_until = None
    fence = 0


class AuthorizationRequestFactory(TableFactory[AuthorizationRequest]):
    card_id = None
    customer_id = None
    ordinal = 0
    stripe_event_id = _name("evt")
    requested_at = Use(_now)
    amount_minor = 1999
    currency = Currency.USD
    approved_before_minor = 0
    reserved_minor = 1999
    price_plan_id = None
    funding_mode = FundingMode.HOLD
    funding_source_ids = Use(_nothing_listed)
    fee_minor = 150
    state = RequestState.APPROVED
    reason = None
    decided_at = Use(_now)
    step_ms = Use(_nothing_told)
    verified_at = Use(_now)
    verify_after = Use(_now)


class CardTransactionFactory(TableFactory[CardTransaction]):
    stripe_transaction_id = _name("ipi")
    authorization_id = None
    card_id = None
    customer_id = None
    kind = TransactionKind.CAPTURE
    occurred_at = Use(_now)
    amount_minor = -1999
    currency = Currency.USD
    fee_minor = 150
    not_handled = None


class InboundEventFactory(TableFactory[InboundEvent]):
    stripe_event_id = _name("evt")
    occurred_at = Use(_now)
    payload = Use(_nothing_told)
    state = EventState.RECEIVED
    attempts = 0
    failure = None
    processed_at = None


FACTORIES = (
    AuditEntryFactory,
    AuthorizationFactory,
    AuthorizationRequestFactory,
    CardFactory,
    CardTransactionFactory,
    ChargeFactory,
    CustomerFactory,
    FundingSourceFactory,
    InboundEventFactory,
    PricePlanFactory,
    SignInFailureFactory,
    StaffFactory,
    StaffSessionFactory,
)
