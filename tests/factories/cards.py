"""Factories for cards: what was asked about them, and what merchants took."""

from polyfactory import Use
from polyfactory.factories.sqlalchemy_factory import SQLAlchemyFactory
from uuid_utils.compat import uuid7

from app.domain.funding.states import (
    FundingMode,
)
from app.domain.issuing.control_models import Allowance, DecisionRule, FlightRecord
from app.domain.issuing.decline_rows import DeclinedRequest
from app.domain.issuing.mirror_models import MirrorKind, MirrorOrder
from app.domain.issuing.models import Authorization, AuthorizationRequest, Card, CardTransaction
from app.domain.issuing.rules import RuleMode
from app.domain.issuing.states import (
    AuthorizationState,
    CardState,
    RequestState,
    TransactionKind,
)
from app.domain.issuing.traffic import QuarterHour
from app.money import Currency
from tests.factories.base import TableFactory, a_condition, named, nothing_listed, nothing_told, now


class CardFactory(TableFactory[Card]):
    stripe_card_id = named("ic")
    last4 = "1234"
    exp_month = 12
    exp_year = 2029
    state = CardState.ACTIVE
    currency = Currency.USD
    daily_limit_minor = 100_000
    monthly_limit_minor = 500_000
    purchase_limit_minor = None
    allowed_categories = Use(nothing_listed)
    blocked_categories = Use(nothing_listed)
    allowed_countries = Use(nothing_listed)
    blocked_countries = Use(nothing_listed)
    merchant_lock = None
    lock_to_first_merchant = False
    single_use = False
    frozen_by = None
    replaces_id = None
    funding_source_id = None
    active_until = None


class AuthorizationFactory(TableFactory[Authorization]):
    stripe_authorization_id = named("iauth")
    card_id = None
    customer_id = None
    occurred_at = Use(now)
    state = AuthorizationState.PENDING
    approved = True
    amount_minor = 1999
    currency = Currency.USD
    not_handled = None
    forced = False
    settle_after = None
    read_at = None
    leased_until = None
    fence = 0


class AuthorizationRequestFactory(TableFactory[AuthorizationRequest]):
    card_id = None
    customer_id = None
    ordinal = 0
    stripe_event_id = named("evt")
    requested_at = Use(now)
    amount_minor = 1999
    currency = Currency.USD
    approved_before_minor = 0
    reserved_minor = 1999
    price_plan_id = None
    funding_mode = FundingMode.HOLD
    funding_source_ids = Use(nothing_listed)
    fee_minor = 150
    state = RequestState.APPROVED
    reason = None
    decided_at = Use(now)
    step_ms = Use(nothing_told)
    verified_at = Use(now)
    verify_after = Use(now)


class CardTransactionFactory(TableFactory[CardTransaction]):
    stripe_transaction_id = named("ipi")
    authorization_id = None
    card_id = None
    customer_id = None
    kind = TransactionKind.CAPTURE
    occurred_at = Use(now)
    amount_minor = -1999
    currency = Currency.USD
    fee_minor = 150
    earned_minor = 0
    unmatched = False
    not_handled = None


class QuarterHourFactory(SQLAlchemyFactory[QuarterHour]):
    starts_at = Use(now)


class DeclinedRequestFactory(SQLAlchemyFactory[DeclinedRequest]):
    requested_at = Use(now)
    reason = "card_frozen"
    merchant_name = "Blue Bottle"
    banks = Use(nothing_listed)


class DecisionRuleFactory(TableFactory[DecisionRule]):
    kind = "risk_score"
    mode = RuleMode.ENFORCED
    condition = Use(a_condition)
    effective_from = Use(now)
    effective_until = None
    note = "a rule of the tests"


class AllowanceFactory(TableFactory[Allowance]):
    merchant_name = "Blue Bottle"
    merchant_key = "blue bottle"
    merchant_network_id = None
    most_minor = 1999
    expires_at = Use(now)


class FlightRecordFactory(SQLAlchemyFactory[FlightRecord]):
    request_id = Use(uuid7)
    facts = Use(nothing_told)
    verdicts = Use(nothing_listed)


class MirrorOrderFactory(TableFactory[MirrorOrder]):
    kind = MirrorKind.CARD
    wanted = Use(nothing_told)
    attempts = 0
    next_at = Use(now)
    sent_at = None
    failure = None
