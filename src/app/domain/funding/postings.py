"""What charges, refunds and debts do to the books. Pure: recorded facts in, journals out.

docs/ledger.md explains every rule with an example.
"""

from collections.abc import Iterator
from datetime import datetime

from app.domain.funding.models import Charge
from app.domain.funding.refund_models import Receivable, Refund
from app.domain.funding.states import (
    ChargePurpose,
    ChargeState,
    FundingMode,
    ReceivableState,
    RefundPurpose,
    RefundState,
)
from app.domain.ledger.accounts import Account
from app.domain.ledger.journals import Journal, Posting, Whose, held, journal

TAKEN = (ChargeState.CAPTURED, ChargeState.REFUNDED)
LOWERS = {
    ReceivableState.WRITTEN_OFF: Account.BAD_DEBT,
    ReceivableState.RECOVERED: Account.BAD_DEBT,
    # We owe it to the customer now, and no card was charged that it could go back to.
    ReceivableState.PAID_OUTSIDE: Account.REFUNDS_PAYABLE,
}
"""Where a debt stands in the books, by its state; others are receivables."""
WAS_HELD = (ChargeState.HELD, ChargeState.CANCELED, *TAKEN)


def charge_journals(
    charge: Charge, at: datetime, *, pays: Account = Account.CUSTOMER_FUNDS
) -> Iterator[Journal]:
    """Give every journal of a charge as it stands. `pays`: what the merchant's part is owed on."""
    intent, whose = charge.stripe_payment_intent_id, _whose(charge)
    if intent is None:
        return
    fee = charge.amount_minor - charge.principal_minor
    if charge.mode is FundingMode.HOLD and charge.state in WAS_HELD:
        yield from held_journal(intent, charge.principal_minor, fee, at, whose)
    if charge.mode is FundingMode.HOLD and charge.state is ChargeState.CANCELED:
        released = _released(charge.principal_minor, fee)
        yield from journal(intent, "linked_card_released", at, whose, released)
    if charge.state in TAKEN:
        yield from _taken(charge, intent, at, pays)
    yield from _processing_fee(charge, intent, at)


def held_journal(
    intent: str, principal_minor: int, fee_minor: int, at: datetime, whose: Whose
) -> Iterator[Journal]:
    """A linked card holds the merchant's part and our fee."""
    postings = [
        held(Account.PAYMENTS_BALANCE, Account.CUSTOMER_FUNDS, principal_minor),
        held(Account.PAYMENTS_BALANCE, Account.DEFERRED_FEE, fee_minor),
    ]
    yield from journal(intent, "linked_card_held", at, whose, postings)


def charged_journal(
    intent: str,
    principal_minor: int,
    fee_minor: int,
    at: datetime,
    whose: Whose,
    *,
    pays: Account = Account.CUSTOMER_FUNDS,
) -> Iterator[Journal]:
    """A linked card was charged at once."""
    postings = _received(principal_minor, fee_minor, pays)
    yield from journal(intent, "linked_card_charged", at, whose, postings)


def _taken(charge: Charge, intent: str, at: datetime, pays: Account) -> Iterator[Journal]:
    principal = charge.captured_principal_minor
    assert principal is not None
    fee, whose = charge.captured_minor - principal, _whose(charge)
    if charge.mode is FundingMode.HOLD:
        # However much is taken, the whole hold is over.
        over = _released(charge.principal_minor, charge.amount_minor - charge.principal_minor)
        postings = [*over, *_received(principal, fee, pays)]
        yield from journal(intent, "linked_card_captured", at, whose, postings)
    else:
        yield from charged_journal(intent, principal, fee, at, whose, pays=pays)
    if charge.purpose is ChargePurpose.REFUND_REVERSED:
        postings = [Posting(Account.DEFERRED_FEE, Account.FEE_RETURNED, fee)]
        yield from journal(intent, "fee_regained", at, whose, postings)


def _processing_fee(charge: Charge, intent: str, at: datetime) -> Iterator[Journal]:
    """Stripe's fee as Stripe booked it; where the charge did not stand, shown apart."""
    fee, booked = charge.processing_fee_minor, charge.stripe_balance_transaction_id
    if fee is None or booked is None:
        return
    whose = _whose(charge)
    paid = [Posting(Account.PROCESSING_FEES, Account.PAYMENTS_BALANCE, fee)]
    yield from journal(booked, "processing_fee", at, whose, paid)
    if charge.undone:
        ghost = [Posting(Account.GHOST_CHARGE_FEES, Account.PROCESSING_FEES, fee)]
        yield from journal(intent, "ghost_charge_fee", at, whose, ghost)


def refund_journals(refund: Refund, at: datetime) -> Iterator[Journal]:
    """Give every journal of a refund as it stands."""
    name = refund.stripe_refund_id
    if name is None:
        return
    whose = _of_refund(refund)
    own = refund.purpose is RefundPurpose.GOODWILL
    pays = Account.GOODWILL if own else Account.CUSTOMER_FUNDS
    owed = [
        Posting(pays, Account.REFUNDS_PAYABLE, refund.principal_minor),
        Posting(Account.DEFERRED_FEE, Account.REFUNDS_PAYABLE, refund.deferred_fee_minor),
        Posting(Account.FEE_RETURNED, Account.REFUNDS_PAYABLE, refund.returned_fee_minor),
    ]
    yield from journal(name, "refund_owed", at, whose, owed)
    if refund.stripe_balance_transaction_id is None:
        return
    paid = [Posting(Account.REFUNDS_PAYABLE, Account.PAYMENTS_BALANCE, refund.amount_minor)]
    yield from journal(name, "refund_paid", at, whose, paid)
    if refund.state is RefundState.FAILED:
        back = [Posting(Account.PAYMENTS_BALANCE, Account.REFUNDS_PAYABLE, refund.amount_minor)]
        yield from journal(name, "refund_came_back", at, whose, back)


def covered_journal(refund: Refund, by_minor: int, at: datetime) -> Iterator[Journal]:
    """A merchant gave back what the customer had from us before, or took that back again.

    `refund` counts it already.
    """
    whose = _of_refund(refund)
    kept = Posting(Account.CUSTOMER_FUNDS, Account.GOODWILL, by_minor)
    if by_minor < 0:
        kept = Posting(Account.GOODWILL, Account.CUSTOMER_FUNDS, -by_minor)
    yield from journal(f"{refund.id}:{refund.covers}", "goodwill_covered", at, whose, [kept])


def withdrawn_journal(
    refund: Refund, principal_minor: int, fee_minor: int, at: datetime
) -> Iterator[Journal]:
    """A merchant took back what the bank had sent back: the customer never had it.

    `refund` counts it already.
    """
    less = [
        Posting(Account.REFUNDS_PAYABLE, Account.CUSTOMER_FUNDS, principal_minor),
        Posting(Account.REFUNDS_PAYABLE, Account.FEE_RETURNED, fee_minor),
    ]
    subject = f"{refund.stripe_refund_id}:{refund.withdrawn_minor}"
    yield from journal(subject, "refund_withdrawn", at, _of_refund(refund), less)


def refund_paid_outside_journal(refund: Refund, at: datetime) -> Iterator[Journal]:
    """What a bank sent back went to the customer from our bank account."""
    paid = [Posting(Account.REFUNDS_PAYABLE, Account.BANK, refund.paid_outside_minor)]
    name = str(refund.stripe_refund_id)
    yield from journal(name, "refund_paid_outside", at, _of_refund(refund), paid)


def opened_journal(debt: Receivable) -> Iterator[Journal]:
    """A customer owes what a merchant took and no linked card paid."""
    owed = [Posting(Account.RECEIVABLE, Account.CUSTOMER_FUNDS, debt.amount_minor)]
    yield from journal(str(debt.id), "receivable_opened", debt.opened_at, _of_debt(debt), owed)


def lowered_journal(debt: Receivable, by_minor: int, at: datetime) -> Iterator[Journal]:
    """A merchant gave back what the customer owed, or had paid us, or we had given up as lost.

    `debt` is lowered already.
    """
    subject = f"{debt.id}:{debt.lowered_minor}"
    owed_on = LOWERS.get(debt.state, Account.RECEIVABLE)
    less = [Posting(Account.CUSTOMER_FUNDS, owed_on, by_minor)]
    yield from journal(subject, "receivable_lowered", at, _of_debt(debt), less)


def paid_outside_journal(debt: Receivable, at: datetime) -> Iterator[Journal]:
    """What is outstanding came to our bank account. `debt` is as it was before."""
    owed_on = LOWERS.get(debt.state, Account.RECEIVABLE)
    paid = [Posting(Account.BANK, owed_on, debt.outstanding_minor)]
    yield from journal(str(debt.id), "receivable_paid_outside", at, _of_debt(debt), paid)


def paid_back_journal(debt: Receivable, by_minor: int, at: datetime) -> Iterator[Journal]:
    """What merchants gave back of a debt went to where it was paid from. `debt` counts it already.

    What is paid back in several steps has the sum so far in its reference.
    """
    subject = f"{debt.id}:{debt.paid_back_minor}"
    paid = [Posting(Account.REFUNDS_PAYABLE, Account.BANK, by_minor)]
    yield from journal(subject, "receivable_paid_back", at, _of_debt(debt), paid)


def written_off_journal(debt: Receivable, at: datetime) -> Iterator[Journal]:
    """Nobody will pay: what is outstanding is our loss."""
    lost = [Posting(Account.BAD_DEBT, Account.RECEIVABLE, debt.outstanding_minor)]
    yield from journal(str(debt.id), "receivable_written_off", at, _of_debt(debt), lost)


def _received(principal_minor: int, fee_minor: int, pays: Account) -> list[Posting]:
    return [
        Posting(Account.PAYMENTS_BALANCE, pays, principal_minor),
        Posting(Account.PAYMENTS_BALANCE, Account.DEFERRED_FEE, fee_minor),
    ]


def _released(principal_minor: int, fee_minor: int) -> list[Posting]:
    return [
        held(Account.CUSTOMER_FUNDS, Account.PAYMENTS_BALANCE, principal_minor),
        held(Account.DEFERRED_FEE, Account.PAYMENTS_BALANCE, fee_minor),
    ]


def _whose(charge: Charge) -> Whose:
    return Whose(charge.purchase_id, charge.customer_id, charge.currency)


def _of_refund(refund: Refund) -> Whose:
    return Whose(refund.purchase_id, refund.customer_id, refund.currency)


def _of_debt(debt: Receivable) -> Whose:
    return Whose(debt.purchase_id, debt.customer_id, debt.currency)
