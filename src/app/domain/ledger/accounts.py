"""The chart of accounts: where money can be, and whose it is. docs/ledger.md explains each."""

from enum import StrEnum


class AccountKind(StrEnum):
    """Assets and expenses grow by debits; liabilities, equity and income by credits."""

    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"


class Account(StrEnum):
    """An account, by its code."""

    PAYMENTS_BALANCE = "1010"
    ISSUING_BALANCE = "1020"
    BANK = "1030"
    IN_TRANSIT = "1040"
    RECEIVABLE = "1100"
    DISPUTED_CHARGES = "1150"
    CUSTOMER_FUNDS = "2000"
    REFUNDS_PAYABLE = "2100"
    PROVISIONAL_CREDIT = "2200"
    DEFERRED_FEE = "2300"
    CAPITAL = "3000"
    FEE_REVENUE = "4000"
    FEE_RETURNED = "4010"
    INTERCHANGE = "4100"
    PROCESSING_FEES = "5000"
    DISPUTE_FEES = "5010"
    ISSUING_FEES = "5020"
    GHOST_CHARGE_FEES = "5030"
    BAD_DEBT = "5100"
    DISPUTE_LOSSES = "5110"
    GOODWILL = "5120"


NAMES = {
    Account.PAYMENTS_BALANCE: "Stripe payments balance",
    Account.ISSUING_BALANCE: "Stripe Issuing balance (the float)",
    Account.BANK: "Bank",
    Account.IN_TRANSIT: "Money in transit",
    Account.RECEIVABLE: "Customer receivables",
    Account.DISPUTED_CHARGES: "Disputed charges",
    Account.CUSTOMER_FUNDS: "Customer funds (clearing)",
    Account.REFUNDS_PAYABLE: "Refunds payable",
    Account.PROVISIONAL_CREDIT: "Provisional credit of card disputes",
    Account.DEFERRED_FEE: "Deferred fee (clearing)",
    Account.CAPITAL: "Capital",
    Account.FEE_REVENUE: "Fee revenue",
    Account.FEE_RETURNED: "Fee returned on refunds",
    Account.INTERCHANGE: "Interchange share",
    Account.PROCESSING_FEES: "Processing fees",
    Account.DISPUTE_FEES: "Dispute fees",
    Account.ISSUING_FEES: "Issuing fees",
    Account.GHOST_CHARGE_FEES: "Fees of charges that did not stand",
    Account.BAD_DEBT: "Bad debt",
    Account.DISPUTE_LOSSES: "Dispute losses",
    Account.GOODWILL: "Refunds of our own",
}
assert NAMES.keys() == set(Account)

CLEARING = frozenset({Account.CUSTOMER_FUNDS, Account.DEFERRED_FEE})
"""Accounts that are at zero for every purchase that is closed."""

_KINDS = {
    "1": AccountKind.ASSET,
    "2": AccountKind.LIABILITY,
    "3": AccountKind.EQUITY,
    "4": AccountKind.INCOME,
    "5": AccountKind.EXPENSE,
}


def kind_of(account: Account) -> AccountKind:
    return _KINDS[account.value[0]]
