"""What a PaymentIntent may be created, confirmed or changed with, and Stripe's refusals.

https://docs.stripe.com/api/payment_intents/create
"""

from typing import Any

from stripe_sandbox.errors import StripeError

# The least a card can be charged, in minor units: https://docs.stripe.com/currencies.
MINIMUM_CHARGE = {
    "aud": 50, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50, "gbp": 30,
    "hkd": 400, "jpy": 50, "mxn": 1000, "nok": 300, "nzd": 50, "pln": 200, "sek": 300, "sgd": 50,
    "usd": 50,
}  # fmt: skip
ZERO_DECIMAL = {"jpy"}
MAXIMUM_CHARGE = 99_999_999
LONGEST_DESCRIPTOR = 22

# Known to Stripe, not simulated: refused aloud rather than ignored.
NOT_SIMULATED = (
    "application_fee_amount",
    "confirmation_token",
    "customer_account",
    "hooks",
    "mandate",
    "mandate_data",
    "on_behalf_of",
    "payment_method_data",
    "transfer_data",
)


def refuse_not_simulated(params: dict[str, Any]) -> None:
    """Refuse what Stripe takes and the sandbox does not act on."""
    for name in NOT_SIMULATED:
        if params.get(name):
            raise StripeError(f"The sandbox does not simulate `{name}`.", param=name)


def check_amount(amount: int, currency: str) -> None:
    """Amounts are in minor units. Raises Stripe's refusal of too little and of too much."""
    minimum = MINIMUM_CHARGE.get(currency)
    if minimum is None:
        raise StripeError(
            f"Invalid currency: {currency}. Stripe currently supports these currencies: "
            + ", ".join(sorted(MINIMUM_CHARGE)),
            param="currency",
        )
    if amount < 1:
        raise StripeError(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount",
        )
    if amount < minimum:
        raise StripeError(
            f"Amount must be at least {shown(minimum, currency)} {currency}",
            code="amount_too_small",
            param="amount",
        )
    if amount > MAXIMUM_CHARGE:
        raise StripeError(
            f"Amount must be no more than {shown(MAXIMUM_CHARGE, currency)}",
            code="amount_too_large",
            param="amount",
        )


def check_descriptors(params: dict[str, Any]) -> None:
    """https://docs.stripe.com/get-started/account/statement-descriptors."""
    suffix = params.get("statement_descriptor_suffix") or ""
    if len(suffix) > LONGEST_DESCRIPTOR:
        raise StripeError(
            f"The statement descriptor suffix must be at most {LONGEST_DESCRIPTOR} characters.",
            param="statement_descriptor_suffix",
        )
    if set(suffix) & set("<>\\'\"*"):
        raise StripeError(
            "The statement descriptor suffix can't contain these special characters: "
            "<, >, \\, ', \", *",
            param="statement_descriptor_suffix",
        )
    if params.get("statement_descriptor"):
        raise StripeError(
            "The `statement_descriptor` parameter is not supported for card charges. Set "
            "`statement_descriptor_suffix` instead.",
            code="payment_intent_invalid_parameter",
            param="statement_descriptor",
        )


def check_confirming(params: dict[str, Any], *, confirms: bool) -> None:
    """Refuse parameters that only mean something while confirming, or not together."""
    for name in ("off_session", "error_on_requires_action", "return_url"):
        if params.get(name) and not confirms:
            raise StripeError(
                f"You cannot set `{name}` unless `confirm` is set to true.", param=name
            )
    if params.get("off_session") and params.get("setup_future_usage"):
        raise StripeError(
            "You cannot set `setup_future_usage` together with `off_session=true`.",
            param="setup_future_usage",
        )


def unexpected_state(message: str, intent: dict[str, Any], name: str) -> StripeError:
    """The refusal of a step the intent's status does not allow; carries the intent."""
    return StripeError(message, code=f"{name}_unexpected_state", extra={name: intent})


def shown(amount: int, currency: str) -> str:
    """An amount as Stripe words it: `$1,234.50`."""
    sign = "$" if currency == "usd" else ""
    return f"{sign}{amount:,}" if currency in ZERO_DECIMAL else f"{sign}{amount / 100:,.2f}"
