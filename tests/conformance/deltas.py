"""What Stripe changed between 2026-05-27.dahlia and 2026-10-28.endive, each with its source.

The newest document that can be installed ends at 2026-05-27.dahlia; the product pins the later
version. Listed is what touches the objects and calls the sandbox serves; other payment methods
than cards, and products the sandbox does not have, are left out. The list was made by comparing
the document with the types of stripe-python 16.1.0 (which pins 2026-10-28.endive), and a test
repeats that comparison; the pages named are Stripe's own words for the change.

`example_fields.json` beside this file holds the field names of Stripe's published example objects:
GitHub stripe/openapi, `openapi/fixtures3.json`, MIT licence. Two fields of those examples are not
asked for: `charge.refunds`, which Stripe stopped including by default
(docs.stripe.com/upgrades#2022-11-15), and `webhook_endpoint.secret`, which only the answer to the
creation carries (docs.stripe.com/api/webhook_endpoints/object).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

CHANGELOG: Final = "docs.stripe.com/changelog"
SDK: Final = "stripe-python 16.1.0"


class Field(Struct, frozen=True):
    """A response field that was added to a component schema."""

    schema: str
    name: str
    type: Mapping[str, Any]
    source: str


class Values(Struct, frozen=True):
    """Values that were added to the enum of a response field."""

    schema: str
    name: str
    values: Sequence[str]
    source: str


class Parameter(Struct, frozen=True):
    """A form parameter that was added to a call; `within` is the dotted parent, if it has one."""

    call: str
    name: str
    type: Mapping[str, Any]
    source: str
    within: str = ""


class Removal(Struct, frozen=True):
    """A form parameter that Stripe no longer takes."""

    call: str
    name: str
    source: str


TEXT: Final = {"type": "string", "maxLength": 5000}
NULLABLE_TEXT: Final = {**TEXT, "nullable": True}
NULLABLE_TIME: Final = {"type": "integer", "format": "unix-time", "nullable": True}
NULLABLE_TEXTS: Final = {"type": "array", "items": TEXT, "nullable": True}
USAGE: Final = {"type": "string", "enum": ["installment", "recurring", "unscheduled"]}


def reference(schema: str) -> dict[str, Any]:
    """An id that becomes the object when it is expanded."""
    return {
        "anyOf": [TEXT, {"$ref": f"#/components/schemas/{schema}"}],
        "nullable": True,
    }


ALLOWED_TYPES: Final = f"{CHANGELOG}/dahlia/2026-07-29/allowed-payment-method-types-parameter"
NO_TYPES: Final = (
    f"{CHANGELOG}/endive/2026-09-30/"
    "removes-the-payment-method-types-parameter-from-payment-intents-and-setup-intents"
)
CARD_ON_FILE: Final = f"{CHANGELOG}/endive/2026-10-28/card-on-file-usage-indicators-support"
REFUND_DETAILS: Final = (
    f"{CHANGELOG}/dahlia/2026-07-29/adds-customer-and-payment-method-details-to-the-refunds-api"
)
SHIPPING_TIMES: Final = f"{CHANGELOG}/endive/2026-10-28/issuing-cards-shipping-timestamps"
# Null where a PaymentMethod pays; nothing in the sandbox pays otherwise.
EXAMPLES: Final = "stripe/openapi, openapi/fixtures3.json, where the example carries it"

FIELDS: Final = (
    Field("payment_intent", "allowed_payment_method_types", NULLABLE_TEXTS, ALLOWED_TYPES),
    Field("setup_intent", "allowed_payment_method_types", NULLABLE_TEXTS, ALLOWED_TYPES),
    Field(
        "payment_intent",
        "payment_record",
        NULLABLE_TEXT,
        f"{CHANGELOG}/endive/2026-09-30/payment-records-on-payment-intents",
    ),
    Field("payment_intent", "source", NULLABLE_TEXT, EXAMPLES),
    Field("charge", "source", NULLABLE_TEXT, EXAMPLES),
    Field("refund", "customer", reference("customer"), REFUND_DETAILS),
    Field("refund", "customer_account", NULLABLE_TEXT, REFUND_DETAILS),
    Field("refund", "payment_method", reference("payment_method"), REFUND_DETAILS),
    Field(
        "topup",
        "initiated_by",
        {"type": "string", "enum": ["stripe", "user"], "nullable": True},
        f"{SDK}, _topup.py",
    ),
    Field("topup", "payment_method", reference("payment_method"), f"{SDK}, _topup.py"),
    Field(
        "topup",
        "payment_method_options",
        {"type": "object", "properties": {}, "nullable": True},
        f"{SDK}, _topup.py",
    ),
    Field("issuing_card_shipping", "shipped_at", NULLABLE_TIME, SHIPPING_TIMES),
    Field("issuing_card_shipping", "delivered_at", NULLABLE_TIME, SHIPPING_TIMES),
    Field("issuing_card_shipping", "business_name", NULLABLE_TEXT, f"{SDK}, issuing/_card.py"),
    Field(
        "payment_method_details_card",
        "transaction_link_id",
        NULLABLE_TEXT,
        "stripe-ruby 19.3.0, release of 2026-06-24.dahlia",
    ),
    Field(
        "payment_method_details_card",
        "electronic_commerce_indicator",
        NULLABLE_TEXT,
        f"{SDK}, _charge.py",
    ),
    Field(
        "payment_method_details_card",
        "setup_credential_usage",
        {**USAGE, "nullable": True},
        CARD_ON_FILE,
    ),
    Field(
        "payment_method_details_card",
        "stored_credential_usage",
        {**USAGE, "nullable": True},
        CARD_ON_FILE,
    ),
)

VALUES: Final = (
    Values(
        "issuing_authorization_request",
        "reason",
        ["stripe_internal_error"],
        f"{SDK}, issuing/_authorization.py",
    ),
    Values(
        "issuing_card_shipping",
        "carrier",
        ["correos"],
        f"{CHANGELOG}/dahlia/2026-07-29/adds-correos-as-an-issuing-card-shipping-carrier-in-the-eu",
    ),
    Values(
        "balance_transaction",
        "type",
        ["issuing_dispute_provisional_credit", "issuing_dispute_provisional_credit_reversal"],
        f"{CHANGELOG}/endive/2026-09-30/"
        "provisional-credit-issuing-disputes-balance-transaction-types",
    ),
    Values("balance_transaction", "type", ["tax_fund"], f"{SDK}, _balance_transaction.py"),
    Values(
        "three_d_secure_details_charge",
        "result",
        ["data_share_only"],
        f"{CHANGELOG}/endive/2026-09-30/data-share-only",
    ),
)

CREATE_TOPUP: Final = "/v1/topups"
TOPUP_OPTIONS: Final = {
    "type": "object",
    "properties": {
        "us_bank_account": {
            "type": "object",
            "properties": {"network": {"type": "string", "enum": ["ach"]}},
        }
    },
}
CREATE_INTENT: Final = "/v1/payment_intents"
UPDATE_INTENT: Final = "/v1/payment_intents/{intent}"
CONFIRM_INTENT: Final = "/v1/payment_intents/{intent}/confirm"
CREATE_SETUP: Final = "/v1/setup_intents"
UPDATE_SETUP: Final = "/v1/setup_intents/{intent}"
CONFIRM_SETUP: Final = "/v1/setup_intents/{intent}/confirm"
CARD_OPTIONS: Final = "payment_method_options.card"

REMOVALS: Final = tuple(
    Removal(call, "payment_method_types", NO_TYPES)
    for call in (CREATE_INTENT, UPDATE_INTENT, CONFIRM_INTENT, CREATE_SETUP, UPDATE_SETUP)
)

PARAMETERS: Final = (
    *(
        Parameter(
            call,
            "allowed_payment_method_types",
            {"type": "array", "items": TEXT},
            ALLOWED_TYPES,
        )
        for call in (CREATE_INTENT, UPDATE_INTENT, CONFIRM_INTENT, CREATE_SETUP, UPDATE_SETUP)
    ),
    *(
        Parameter(call, name, USAGE, CARD_ON_FILE, within=CARD_OPTIONS)
        for call in (CREATE_INTENT, UPDATE_INTENT, CONFIRM_INTENT)
        for name in ("setup_credential_usage", "stored_credential_usage")
    ),
    *(
        Parameter(call, "setup_credential_usage", USAGE, CARD_ON_FILE, within=CARD_OPTIONS)
        for call in (CREATE_SETUP, UPDATE_SETUP, CONFIRM_SETUP)
    ),
    *(
        Parameter(
            call, "validate", {"type": "boolean"}, f"{SDK}, params/_customer_create_params.py"
        )
        for call in ("/v1/customers", "/v1/customers/{customer}")
    ),
    *(
        Parameter(
            call,
            "business_name",
            TEXT,
            f"{SDK}, params/issuing/_card_create_params.py",
            within="shipping",
        )
        for call in ("/v1/issuing/cards", "/v1/issuing/cards/{card}")
    ),
    Parameter(
        "/v1/issuing/cards/{card}",
        "financial_account",
        TEXT,
        f"{SDK}, params/issuing/_card_update_params.py",
    ),
    Parameter(CREATE_TOPUP, "payment_method", TEXT, f"{SDK}, params/_topup_create_params.py"),
    Parameter(
        CREATE_TOPUP,
        "payment_method_options",
        TOPUP_OPTIONS,
        f"{SDK}, params/_topup_create_params.py",
    ),
    # Documented with Issuing, in no version of the interface's document.
    Parameter(
        CREATE_TOPUP,
        "destination_balance",
        {"type": "string", "enum": ["issuing"]},
        "stripe.com/docs/issuing/funding/balance",
    ),
)

# The versions a webhook endpoint may ask for (stripe-python 16.1.0,
# params/_webhook_endpoint_create_params.py).
VERSIONS: Final = (
    "2026-06-24.dahlia",
    "2026-07-29.dahlia",
    "2026-08-26.dahlia",
    "2026-09-30.endive",
    "2026-10-28.endive",
)
