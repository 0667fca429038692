"""Factories for money: linked cards, charges, refunds, debts, the books."""

from polyfactory import Use
from polyfactory.factories.sqlalchemy_factory import SQLAlchemyFactory

from app.domain.funding.balance_models import BalanceTransaction
from app.domain.funding.linking_models import CardLinking
from app.domain.funding.models import Charge, FundingSource, PricePlan
from app.domain.funding.refund_models import Receivable, Refund
from app.domain.funding.states import (
    ChargePurpose,
    ChargeState,
    FundingMode,
    FundingSourceState,
    LinkingState,
    ReceivableState,
    RefundPurpose,
    RefundState,
)
from app.domain.issuing.difference_models import (
    DifferenceState,
    ReconciliationDifference,
    ReconciliationRun,
)
from app.domain.issuing.profit_days import ProfitDay
from app.domain.ledger.models import AccountDay, JournalEntry, OpenClearing, RollupMark, Seal
from app.money import Currency
from tests.factories.base import TableFactory, named, now


class FundingSourceFactory(TableFactory[FundingSource]):
    stripe_payment_method_id = named("pm")
    state = FundingSourceState.ACTIVE
    priority = 1
    is_default = True
    brand = "visa"
    last4 = "4242"
    exp_month = 12
    exp_year = 2030
    confirmed_at = None


class CardLinkingFactory(TableFactory[CardLinking]):
    consented_at = Use(now)
    confirms_id = None
    stripe_setup_intent_id = named("seti")
    state = LinkingState.STARTED
    failures = 0
    refusal = None
    funding_source_id = None


class PricePlanFactory(TableFactory[PricePlan]):
    effective_from = Use(now)
    percent_bps = 500
    fixed_minor = 50
    minimum_minor = 0
    currency = Currency.USD


class ChargeFactory(TableFactory[Charge]):
    funding_source_id = None
    attempt = 1
    idempotency_key = named("key")
    purpose = ChargePurpose.AUTHORIZATION
    mode = FundingMode.HOLD
    receivable_id = None
    amount_minor = 2149
    principal_minor = 1999
    captured_minor = 0
    captured_principal_minor = None
    refunded_minor = 0
    undone = False
    processing_fee_minor = None
    currency = Currency.USD
    state = ChargeState.HELD
    capture_before = None
    stripe_payment_intent_id = named("pi")


class RefundFactory(TableFactory[Refund]):
    purpose = RefundPurpose.UNEARNED
    covered_minor = 0
    covers = 0
    withdrawn_principal_minor = 0
    withdrawn_fee_minor = 0
    paid_outside_minor = 0
    amount_minor = 1049
    principal_minor = 999
    deferred_fee_minor = 50
    returned_fee_minor = 0
    currency = Currency.USD
    state = RefundState.SUCCEEDED
    stripe_refund_id = named("re")
    failure_reason = None


class ReceivableFactory(TableFactory[Receivable]):
    opened_at = Use(now)
    amount_minor = 2000
    lowered_minor = 0
    paid_back_minor = 0
    currency = Currency.USD
    refund_reversed = False
    state = ReceivableState.OPEN
    attempts = 1
    next_attempt_at = None
    closed_at = None


class BalanceTransactionFactory(TableFactory[BalanceTransaction]):
    stripe_balance_transaction_id = named("txn")
    balance_type = "payments"
    type = "charge"
    amount_minor = 2149
    fee_minor = 92
    net_minor = 2057
    currency = Currency.USD
    occurred_at = Use(now)
    available_at = Use(now)
    journal_reference = None


class JournalEntryFactory(SQLAlchemyFactory[JournalEntry]):
    reference = named("pi")
    rule = "linked_card_held"
    occurred_at = Use(now)
    purchase_id = None
    customer_id = None
    currency = Currency.USD
    debits = Use(lambda: ["1010"])
    credits = Use(lambda: ["2000"])
    amounts = Use(lambda: [1999])
    layers = Use(lambda: ["held"])


class SealFactory(SQLAlchemyFactory[Seal]):
    journals = 1


class AccountDayFactory(SQLAlchemyFactory[AccountDay]):
    account = "1010"
    layer = "posted"
    currency = Currency.USD


class ProfitDayFactory(SQLAlchemyFactory[ProfitDay]):
    trait = "funding"
    account = "4000"


class OpenClearingFactory(SQLAlchemyFactory[OpenClearing]):
    layer = "posted"
    currency = "usd"
    account = "2000"


class RollupMarkFactory(SQLAlchemyFactory[RollupMark]):
    name = named("mark")
    time_zone = "UTC"


class ReconciliationRunFactory(TableFactory[ReconciliationRun]):
    began_at = Use(now)
    ended_at = Use(now)
    since = None
    begun_by = "a test"
    found = 0
    unresolved = 0


class ReconciliationDifferenceFactory(TableFactory[ReconciliationDifference]):
    kind = "missing here"
    what = "charge"
    name = named("pi")
    ours_minor = None
    theirs_minor = 1999
    currency = "usd"
    since = None
    note = ""
    state = DifferenceState.OPEN
    first_seen_at = Use(now)
    last_seen_at = Use(now)
    resolved_at = None
    resolved_by = None
    resolution = None
