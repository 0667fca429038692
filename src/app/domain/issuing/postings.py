"""What merchants' captures, refunds and holds do to the books. Pure.

docs/ledger.md explains every rule with an example.
"""

from collections.abc import Iterable, Iterator

from app.domain.issuing.card_network import Movement
from app.domain.issuing.models import CardTransaction
from app.domain.issuing.states import TransactionKind
from app.domain.ledger.accounts import Account
from app.domain.ledger.journals import Journal, Posting, Whose, held, journal


def movement_journals(movements: Iterable[Movement], whose: Whose) -> Iterator[Journal]:
    """Stripe holds money of ours on the Issuing balance for a purchase, or releases it."""
    for moved in movements:
        amount = abs(moved.amount_minor)
        if moved.amount_minor < 0:
            postings = [held(Account.CUSTOMER_FUNDS, Account.ISSUING_BALANCE, amount)]
            yield from journal(moved.id, "network_hold_placed", moved.occurred_at, whose, postings)
        else:
            postings = [held(Account.ISSUING_BALANCE, Account.CUSTOMER_FUNDS, amount)]
            yield from journal(
                moved.id, "network_hold_released", moved.occurred_at, whose, postings
            )


def transaction_journals(moved: CardTransaction) -> Iterator[Journal]:
    """A merchant took money of ours from the Issuing balance, or gave some back."""
    amount, whose, at = abs(moved.amount_minor), _whose(moved), moved.occurred_at
    name = moved.stripe_transaction_id
    if moved.unmatched:
        yield from _unmatched_journals(moved)
        return
    out = [Posting(Account.CUSTOMER_FUNDS, Account.ISSUING_BALANCE, amount)]
    back = [Posting(Account.ISSUING_BALANCE, Account.CUSTOMER_FUNDS, amount)]
    match moved.kind, moved.amount_minor < 0:
        case TransactionKind.CAPTURE, True:
            yield from journal(name, "merchant_captured", at, whose, out)
        case TransactionKind.REFUND, True:
            yield from journal(name, "merchant_took_refund_back", at, whose, out)
        case _:
            yield from journal(name, "merchant_refunded", at, whose, back)


def _unmatched_journals(moved: CardTransaction) -> Iterator[Journal]:
    """A refund is owed to somebody, and to the customer of its purchase once that is known.

    So is one that its merchant takes back: it is owed no longer.
    """
    name, at, amount = moved.stripe_transaction_id, moved.occurred_at, moved.amount_minor
    nobody, whose = Whose(currency=moved.currency), _whose(moved)
    is_known = moved.authorization_id is not None
    if amount < 0:
        gone = [Posting(Account.REFUNDS_PAYABLE, Account.ISSUING_BALANCE, -amount)]
        yield from journal(name, "unmatched_refund_taken_back", at, nobody, gone)
        if is_known:
            known = [Posting(Account.CUSTOMER_FUNDS, Account.REFUNDS_PAYABLE, -amount)]
            yield from journal(name, "unmatched_taking_assigned", at, whose, known)
        return
    came = [Posting(Account.ISSUING_BALANCE, Account.REFUNDS_PAYABLE, amount)]
    yield from journal(name, "unmatched_refund_came", at, nobody, came)
    if is_known:
        known = [Posting(Account.REFUNDS_PAYABLE, Account.CUSTOMER_FUNDS, amount)]
        yield from journal(name, "unmatched_refund_assigned", at, whose, known)


def earned_journal(moved: CardTransaction, more_minor: int) -> Iterator[Journal]:
    """Our fee on a capture is paid, and so it is ours, on the day of the capture.

    Where it is paid in several steps, each has the sum so far in its reference.
    `moved.earned_minor` includes `more_minor` already.
    """
    subject = moved.stripe_transaction_id
    if moved.earned_minor != more_minor:
        subject = f"{subject}:{moved.earned_minor}"
    postings = [Posting(Account.DEFERRED_FEE, Account.FEE_REVENUE, more_minor)]
    yield from journal(subject, "fee_earned", moved.occurred_at, _whose(moved), postings)


def _whose(moved: CardTransaction) -> Whose:
    return Whose(moved.authorization_id, moved.customer_id, moved.currency)
