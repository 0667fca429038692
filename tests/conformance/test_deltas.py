"""The written deltas lead from the published document to what the pinned SDK knows, no further."""

import inspect
import json
from pathlib import Path

import pytest
import stripe
from stripe import StripeObject

from tests.conformance import deltas
from tests.conformance.patch import apply_deltas
from tests.conformance.published import document, keep, without_prose

KINDS: dict[str, type[StripeObject]] = {
    "balance": stripe.Balance,
    "balance_transaction": stripe.BalanceTransaction,
    "charge": stripe.Charge,
    "customer": stripe.Customer,
    "event": stripe.Event,
    "issuing.authorization": stripe.issuing.Authorization,
    "issuing.card": stripe.issuing.Card,
    "issuing.cardholder": stripe.issuing.Cardholder,
    "issuing.transaction": stripe.issuing.Transaction,
    "payment_intent": stripe.PaymentIntent,
    "payment_method": stripe.PaymentMethod,
    "refund": stripe.Refund,
    "setup_intent": stripe.SetupIntent,
    "topup": stripe.Topup,
    "webhook_endpoint": stripe.WebhookEndpoint,
    "issuing_authorization_request": stripe.issuing.Authorization.RequestHistory,
    "issuing_card_shipping": stripe.issuing.Card.Shipping,
}
# The SDK's own constant and marker; what only accounts with a special feature see; what belongs
# to payment methods other than cards.
NOT_PUBLISHED = {
    "charge": {"authorization_code", "level3"},
    "customer": {"deleted"},
    "payment_method": {"paypay", "sequra"},
    "webhook_endpoint": {"deleted"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_document_knows_every_field_the_sdk_knows(kind: str) -> None:
    typed = {name for name in inspect.get_annotations(KINDS[kind]) if not name.startswith("_")}
    typed -= {"OBJECT_NAME"} | NOT_PUBLISHED.get(kind, set())
    assert typed == set(document()["components"]["schemas"][kind]["properties"])


def test_every_delta_names_its_source() -> None:
    sources = [
        *(field.source for field in deltas.FIELDS),
        *(values.source for values in deltas.VALUES),
        *(parameter.source for parameter in deltas.PARAMETERS),
        *(removal.source for removal in deltas.REMOVALS),
    ]
    assert all(source.startswith(("docs.stripe.com/changelog/", "stripe")) for source in sources)


def test_the_deltas_end_at_the_version_the_sdk_pins() -> None:
    assert document()["info"]["version"] == "2026-05-27.dahlia"
    assert deltas.VERSIONS[-1] == stripe.api_version


def test_a_delta_that_the_document_has_caught_up_with_is_refused() -> None:
    with pytest.raises(ValueError, match="published by now"):
        apply_deltas(json.loads(json.dumps(document())))


def test_prose_is_dropped_and_fields_named_description_are_kept(tmp_path: Path) -> None:
    slim = without_prose(
        {"description": "prose", "x-note": 1, "properties": {"description": {"type": "string"}}}
    )
    assert slim == {"properties": {"description": {"type": "string"}}}
    keep(tmp_path / "cache" / "document.json", slim)
    assert json.loads((tmp_path / "cache" / "document.json").read_text()) == slim
    assert len(list((tmp_path / "cache").iterdir())) == 1
