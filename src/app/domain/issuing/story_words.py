"""What the rules of the books and their postings mean, in words for people. Pure."""

from collections.abc import Mapping

from app.domain.ledger.accounts import NAMES, Account
from app.domain.ledger.models import JournalEntry
from app.money import readable

RULES: Mapping[str, str] = {
    "network_hold_placed": "the network holds our money for the merchant",
    "network_hold_released": "the network lets go of a hold",
    "merchant_captured": "the merchant took money",
    "merchant_refunded": "the merchant gave money back",
    "merchant_took_refund_back": "the merchant took its refund back",
    "unmatched_refund_came": "a refund came that names no purchase",
    "unmatched_refund_assigned": "the refund belongs to this purchase",
    "unmatched_refund_taken_back": "a refund that names no purchase was taken back",
    "unmatched_taking_assigned": "the refund that was taken back belongs to this purchase",
    "linked_card_held": "the linked card holds the purchase and our fee",
    "linked_card_released": "the linked card's hold is released",
    "linked_card_captured": "what was held on the linked card is taken",
    "linked_card_charged": "the linked card is charged",
    "fee_earned": "our fee is earned",
    "fee_regained": "our fee on a refund is ours again",
    "processing_fee": "Stripe's fee for the charge",
    "ghost_charge_fee": "Stripe's fee for a charge that did not stand",
    "refund_owed": "we owe the customer a refund",
    "refund_paid": "the refund went to the linked card",
    "goodwill_covered": "the merchant gave back what the customer had from us",
    "refund_came_back": "the bank sent the refund back",
    "refund_withdrawn": "the merchant took back what the bank had sent back",
    "refund_paid_outside": "the customer had the refund from our bank account",
    "receivable_opened": "the customer owes what no linked card paid",
    "receivable_lowered": "the merchant gave back what was owed",
    "receivable_paid_outside": "the customer paid the debt to our bank account",
    "receivable_paid_back": "the customer had it from our bank account again",
    "receivable_written_off": "the debt is given up as a loss",
    "capital_paid_in": "the owners paid in",
    "top_up_sent": "a top-up left the bank",
    "top_up_arrived": "a top-up arrived",
    "top_up_came_back": "a top-up went back to the bank",
    "payout_sent": "a payout left for the bank",
    "payout_came_back": "a payout failed, or was canceled",
    "stripe_fee": "Stripe's fee for the account",
    "stripe_fee_returned": "Stripe gave a fee for the account back",
}


def rule_in_words(rule: str) -> str:
    """Say what a rule is about."""
    return RULES.get(rule) or rule.replace("_", " ")


def account_in_words(code: str) -> str:
    """Name an account: 2000 Customer funds (clearing)."""
    return f"{code} {NAMES[Account(code)]}"


def posting_lines(entry: JournalEntry) -> list[str]:
    """Write each posting of a journal: the amount, where it came from and where it went."""
    currency = "" if entry.currency == "usd" else f" {entry.currency.upper()}"
    return [
        f"{readable(amount)}{currency} from {account_in_words(credit)} to {account_in_words(debit)}"
        + ("" if layer == "posted" else f" ({layer})")
        for debit, credit, amount, layer in postings_of(entry)
    ]


def postings_of(entry: JournalEntry) -> list[tuple[str, str, int, str]]:
    """Give a journal's postings as debited account, credited account, minor units and layer."""
    return list(zip(entry.debits, entry.credits, entry.amounts, entry.layers, strict=True))
