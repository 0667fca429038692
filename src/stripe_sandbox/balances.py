"""The account's money at Stripe: its balances, and the transactions that moved them.

The Issuing balance pays for what cards buy, the payments balance holds what was charged
(https://docs.stripe.com/issuing/funding/balance). All amounts are in minor units.
"""

from typing import Any, Literal

from stripe_sandbox.clock import Clock
from stripe_sandbox.ids import new_id
from stripe_sandbox.store import Store

BalanceType = Literal["issuing", "payments"]

KIND = "sandbox.balance"
OPENING_FLOAT_MINOR = 100_000_00
# https://docs.stripe.com/reports/reporting-categories, where it is not the type itself.
REPORTING_CATEGORIES = {"payment": "charge", "payment_refund": "refund", "stripe_fee": "fee"}


class Balances:
    def __init__(self, store: Store, clock: Clock) -> None:
        self.store = store
        self.clock = clock

    def open(self, float_minor: int | None = None) -> None:
        """Fund the Issuing balance of a new account: with so much, or as usual."""
        minor = OPENING_FLOAT_MINOR if float_minor is None else float_minor
        self.add_transaction("issuing", "topup", minor, description="Opening float of the sandbox")

    def available(self, balance_type: BalanceType, currency: str = "usd") -> int:
        return int(self._row(balance_type, currency)["available"])

    def pending(self, balance_type: BalanceType, currency: str = "usd") -> int:
        return int(self._row(balance_type, currency)["pending"])

    def currencies(self, balance_type: BalanceType) -> list[str]:
        """The currencies a balance has ever held, US dollars first."""
        rows = self.store.objects.get(KIND, {}).values()
        held = {row["currency"] for row in rows if row["balance_type"] == balance_type}
        return ["usd", *sorted(held - {"usd"})]

    def add_transaction(  # noqa: PLR0917  each argument is a field of the object
        self,
        balance_type: BalanceType,
        type: str,  # noqa: A002  Stripe's name for it
        amount: int,
        fee: int = 0,
        source: str | None = None,
        description: str | None = None,
        *,
        currency: str = "usd",
        available_on: int | None = None,
    ) -> dict[str, Any]:
        """Move money and give the `balance_transaction`, which is kept.

        With `available_on` in the future the net amount is pending until the clock is there.
        """
        now = self.clock.now()
        available_on = now if available_on is None else available_on
        waits = available_on > now
        transaction: dict[str, Any] = {
            "id": new_id("txn"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": available_on,
            "balance_type": balance_type,
            "created": now,
            "currency": currency,
            "description": description,
            "exchange_rate": None,
            "fee": fee,
            "fee_details": [_processing_fee(fee, currency)] if fee else [],
            "net": amount - fee,
            "reporting_category": REPORTING_CATEGORIES.get(type, type),
            "source": source,
            "status": "pending" if waits else "available",
            "type": type,
        }
        self._keep(transaction, waits=waits)
        return transaction

    def release_pending(self) -> None:
        """Make available what was pending and whose day has come."""
        now = self.clock.now()
        for key, waiting in list(self.store.objects.get("sandbox.pending_funds", {}).items()):
            if waiting["available_on"] > now:
                continue
            transaction = self.store.get("balance_transaction", waiting["id"])
            assert transaction is not None
            transaction["status"] = "available"
            self.store.put("balance_transaction", transaction["id"], transaction)
            balance_type, currency = transaction["balance_type"], transaction["currency"]
            self._move(balance_type, currency, "pending", -transaction["net"])
            self._move(balance_type, currency, "available", transaction["net"])
            self.store.remove("sandbox.pending_funds", key)

    def _keep(self, transaction: dict[str, Any], *, waits: bool) -> None:
        self.store.put("balance_transaction", transaction["id"], transaction)
        if waits:
            self.store.put("sandbox.pending_funds", f"funds:{transaction['id']}", transaction)
        part = "pending" if waits else "available"
        balance_type, currency = transaction["balance_type"], transaction["currency"]
        self._move(balance_type, currency, part, transaction["net"])

    def _row(self, balance_type: str, currency: str) -> dict[str, Any]:
        row = self.store.get(KIND, f"{balance_type}:{currency}")
        return row or {
            "balance_type": balance_type,
            "currency": currency,
            "available": 0,
            "pending": 0,
        }

    def _move(self, balance_type: str, currency: str, part: str, net: int) -> None:
        row = self._row(balance_type, currency)
        row[part] += net
        self.store.put(KIND, f"{balance_type}:{currency}", row)


def _processing_fee(fee: int, currency: str) -> dict[str, Any]:
    return {
        "amount": fee,
        "application": None,
        "currency": currency,
        "description": "Stripe processing fees",
        "type": "stripe_fee",
    }
