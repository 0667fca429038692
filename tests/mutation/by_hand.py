"""Facts that no scenario makes yet, written by hand with what they must do to the books."""

from typing import Any
from uuid import UUID

from tests.mutation.facts import Recording
from tests.mutation.histories import History

PURCHASE = str(UUID(int=1))
CUSTOMER = str(UUID(int=2))
AT = "2026-11-24T12:00:00+00:00"
DEBT = str(UUID(int=3))
LATE = str(UUID(int=4))
GIVEN_BACK = str(UUID(int=7))
OUTSIDE = str(UUID(int=10))
SENT_BACK = str(UUID(int=11))
SET_OFF = "a debt that was written off, and a merchant gave back what was owed"
RECOVERED = "a debt that was written off and came after all"
PAID_OUTSIDE = (
    "debts paid to our bank, one of them written off; a merchant gave back 5.00 of one, of which"
    " 3.00 went from there to the customer"
)
ANOTHER_WAY = "a refund that the bank sent back, and the customer had from our bank account"
A_PERSON_SAID = "a refund and its taking back that a person assigned"


def history_by_hand() -> History:
    """Top-up, payouts, Stripe's own fees, and some of each undone.

    And 40.00 given back unasked, of which 15.00 is taken back. And 20.00 that were given up as
    lost and came after all, with 1.00 of our fee; 40.00 that came to our bank. And 11.00 that a
    bank sent back, and we paid from our own.
    """
    facts = Recording(
        module="by hand",
        mode="either mode",
        played={
            A_PERSON_SAID: [PURCHASE],
            RECOVERED: [LATE],
            SET_OFF: [GIVEN_BACK],
            PAID_OUTSIDE: [OUTSIDE],
            ANOTHER_WAY: [SENT_BACK],
        },
        closed=[],
        charges=[_collecting()],
        refunds=[_sent_back()],
        receivables=[
            _lost(DEBT, LATE, lowered_minor=0, written_off_minor=20_00),
            _lost(str(UUID(int=6)), GIVEN_BACK, lowered_minor=20_00, written_off_minor=15_00),
            _lost(
                str(UUID(int=8)),
                OUTSIDE,
                lowered_minor=5_00,
                paid_outside_minor=20_00,
                paid_back_minor=3_00,
            ),
            _lost(
                str(UUID(int=9)),
                OUTSIDE,
                lowered_minor=0,
                written_off_minor=20_00,
                paid_outside_minor=20_00,
            ),
        ],
        transactions=[_unmatched("ipi_1", 40_00), _unmatched("ipi_2", -15_00)],
        movements=[
            _moved("txn_1", "issuing", "topup", 500_00, source="tu_1"),
            _moved("txn_2", "payments", "payout", -200_00, source="po_1"),
            _moved("txn_3", "payments", "stripe_fee", -3_00),
            _moved("txn_4", "issuing", "stripe_fee", -2_00),
            _moved("txn_6", "payments", "payout", -70_00, source="po_2"),
            _moved("txn_7", "payments", "payout_failure", 70_00, source="po_2"),
            _moved("txn_8", "payments", "stripe_fee", 1_00),
            _moved("txn_9", "issuing", "topup_reversal", -100_00, source="tu_1"),
        ],
        payments_minor=-181_00,
        issuing_minor=423_00,
    )
    nobody = {
        # 400.00 came from the bank and stayed, 200.00 are there again; 4.00 went to Stripe, and
        # 25.00 is left of what was given back.
        "1010": -202_00,
        "1020": 423_00,
        "1030": -200_00,
        "2100": -25_00,
        "5020": 4_00,
    }
    assigned = {"2000": -25_00, "2100": 25_00}
    recovered = {"1010": 21_00, "2000": -20_00, "2300": -1_00}
    whole = {
        "1010": -181_00,
        "1020": 423_00,
        "1030": -174_00,
        "2000": -70_00,
        "2100": -2_00,
        "2300": -1_00,
        "4010": 1_00,
        "5020": 4_00,
    }
    # 20.00 were owed; 5.00 were set off, 15.00 given up as lost, and set off after all.
    set_off: dict[str, int] = {}
    # The bank has what merchants took, and 2.00 of it is still to be paid back from there.
    outside = {"1030": 37_00, "2000": -35_00, "2100": -2_00}
    goldens = {
        A_PERSON_SAID: assigned,
        RECOVERED: recovered,
        SET_OFF: set_off,
        PAID_OUTSIDE: outside,
        # It went to the customer after all, from another account of ours.
        ANOTHER_WAY: {"1030": -11_00, "2000": 10_00, "4010": 1_00},
        None: nobody,
    }
    return History(facts, goldens, whole)


def _lost(name: str, purchase: str, **minor: int) -> dict[str, Any]:
    return {
        "id": name,
        "purchase_id": purchase,
        "customer_id": CUSTOMER,
        "opened_at": AT,
        "amount_minor": 20_00,
        "currency": "usd",
        "state": "recovered",
        **minor,
    }


def _collecting() -> dict[str, Any]:
    return {
        "id": str(UUID(int=5)),
        "customer_id": CUSTOMER,
        "purchase_id": LATE,
        "purpose": "collection",
        "receivable_id": DEBT,
        "mode": "charge",
        "amount_minor": 21_00,
        "principal_minor": 20_00,
        "captured_minor": 21_00,
        "captured_principal_minor": 20_00,
        "currency": "usd",
        "state": "captured",
        "undone": False,
        "stripe_balance_transaction_id": None,
        "processing_fee_minor": None,
        "stripe_payment_intent_id": "pi_1",
    }


def _sent_back() -> dict[str, Any]:
    return {
        "purchase_id": SENT_BACK,
        "customer_id": CUSTOMER,
        "amount_minor": 11_00,
        "principal_minor": 10_00,
        "deferred_fee_minor": 0,
        "returned_fee_minor": 1_00,
        "withdrawn_principal_minor": 0,
        "withdrawn_fee_minor": 0,
        "paid_outside_minor": 11_00,
        "currency": "usd",
        "state": "failed",
        "stripe_refund_id": "re_1",
        "stripe_balance_transaction_id": "txn_5",
    }


def _unmatched(name: str, amount_minor: int) -> dict[str, Any]:
    return {
        "stripe_transaction_id": name,
        "authorization_id": PURCHASE,
        "customer_id": CUSTOMER,
        "kind": "refund",
        "occurred_at": AT,
        "amount_minor": amount_minor,
        "currency": "usd",
        "earned_minor": 0,
        "unmatched": True,
    }


def _moved(
    name: str, balance: str, kind: str, net_minor: int, source: str | None = None
) -> dict[str, Any]:
    return {
        "id": name,
        "balance_type": balance,
        "type": kind,
        "amount_minor": net_minor,
        "fee_minor": 0,
        "net_minor": net_minor,
        "currency": "usd",
        "source": source,
        "occurred_at": AT,
        "available_at": AT,
        "purchase_id": None,
        "customer_id": None,
    }
