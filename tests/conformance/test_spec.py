"""The harness must have teeth: good objects pass, each kind of mutation is caught."""

from copy import deepcopy
from typing import Any

import pytest

from tests.conformance.spec import (
    check_event,
    check_object,
    check_request,
    check_response,
    nested,
    published_path,
)

CUSTOMER: dict[str, Any] = {
    "id": "cus_OyKuOyKuOyKu",
    "object": "customer",
    "address": None,
    "balance": 0,
    "created": 1760000000,
    "currency": None,
    "default_source": None,
    "delinquent": False,
    "description": None,
    "discount": None,
    "email": "ada@example.com",
    "invoice_prefix": "OYKU",
    "invoice_settings": {
        "custom_fields": None,
        "default_payment_method": None,
        "footer": None,
        "rendering_options": None,
    },
    "livemode": False,
    "metadata": {"customer": "1"},
    "name": "Ada",
    "next_invoice_sequence": 1,
    "phone": None,
    "preferred_locales": [],
    "shipping": None,
    "tax_exempt": "none",
    "test_clock": None,
}
EVENT: dict[str, Any] = {
    "id": "evt_OyKuOyKuOyKu",
    "object": "event",
    "api_version": "2026-10-28.endive",
    "created": 1760000000,
    "data": {"object": CUSTOMER},
    "livemode": False,
    "pending_webhooks": 1,
    "request": {"id": None, "idempotency_key": None},
    "type": "customer.created",
}
HOLD = (
    ("amount", "2149"),
    ("currency", "usd"),
    ("customer", "cus_OyKuOyKuOyKu"),
    ("payment_method", "pm_OyKuOyKuOyKu"),
    ("confirm", "true"),
    ("off_session", "true"),
    ("capture_method", "manual"),
    ("payment_method_options[card][stored_credential_usage]", "unscheduled"),
    ("metadata[authorization]", "iauth_1"),
    ("expand[0]", "latest_charge"),
)


def test_a_good_answer_has_no_problems() -> None:
    assert check_response("POST", "/v1/customers", 200, CUSTOMER) == []
    assert check_response("GET", "/v1/customers/cus_OyKuOyKuOyKu", 200, CUSTOMER) == []
    assert check_response("GET", "/v1/customers/{id}?expand[]=discount", 200, CUSTOMER) == []
    assert check_object(CUSTOMER) == []
    assert check_event(EVENT) == []


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"tax_exempt": "perhaps"}, "tax_exempt: 'perhaps' is not one of"),
        ({"balance": "0"}, "balance: '0' is not of type 'integer'"),
        ({"balance": None}, "balance: None is not of type 'integer'"),
        ({"name": "a" * 6000}, "name: 'aaa"),
        ({"created": -1}, "created: -1 is not a 'unix-time'"),
        ({"shoe_size": 43}, "body: 'shoe_size' is not published"),
        ({"metadata": {"n": 1}}, "metadata.n: 1 is not of type 'string'"),
        ({"invoice_settings": {"footer": 1}}, "invoice_settings.footer: 1 is not of type 'string'"),
        ({"address": {"town": "Rome"}}, "address: 'town' is not published"),
        ({"object": "customers"}, "object: 'customers' is not one of ['customer']"),
    ],
)
def test_a_wrong_value_is_caught(changes: dict[str, Any], problem: str) -> None:
    found = check_response("POST", "/v1/customers", 200, CUSTOMER | changes)
    assert any(line.startswith(problem) for line in found), found


def test_a_missing_field_is_caught_wherever_it_is() -> None:
    lacking = deepcopy(CUSTOMER)
    del lacking["livemode"], lacking["test_clock"], lacking["invoice_settings"]["footer"]
    page = {"object": "list", "data": [lacking], "has_more": False, "url": "/v1/customers"}
    assert check_response("GET", "/v1/customers", 200, page) == [
        "data[0]: 'livemode' is a required property",
        "data[0].invoice_settings.footer: Stripe's published customer has this field",
        "data[0].livemode: Stripe's published customer has this field",
        "data[0].test_clock: Stripe's published customer has this field",
    ]


def test_an_object_inside_an_event_is_checked() -> None:
    event = EVENT | {"data": {"object": CUSTOMER | {"tax_exempt": "perhaps"}}}
    problem = "data.object.tax_exempt: 'perhaps' is not one of"
    page = {"object": "list", "data": [event], "has_more": False, "url": "/v1/events"}
    assert check_event(event)[0].startswith(problem)
    assert check_response("GET", "/v1/events", 200, page)[0].startswith(f"data[0].{problem}")
    assert check_event(EVENT | {"data": {"object": {}}}) != []
    assert check_event(CUSTOMER) != []


def test_the_right_alternative_is_named_for_an_expanded_object() -> None:
    refund = {"object": "refund", "customer": CUSTOMER | {"tax_exempt": "perhaps"}}
    assert any(
        line.startswith("customer.tax_exempt: 'perhaps' is not one of")
        for line in check_object(refund)
    )


def test_an_error_is_held_to_the_error_schema() -> None:
    refusal = {"error": {"type": "invalid_request_error", "message": "No", "param": "amount"}}
    assert check_response("POST", "/v1/refunds", 400, refusal) == []
    refusal["error"]["type"] = "bad_luck"
    assert check_response("POST", "/v1/refunds", 400, refusal) != []
    assert check_response("POST", "/v1/refunds", 500, {}) != []


def test_an_answer_to_a_call_that_stripe_has_not_is_a_problem() -> None:
    assert check_response("POST", "/v1/wishes", 200, {}) != []
    assert check_response("PATCH", "/v1/customers", 200, CUSTOMER) != []
    assert check_request("POST", "/v1/wishes", ()) != []


def test_a_good_request_has_no_problems() -> None:
    assert check_request("POST", "/v1/payment_intents", HOLD) == []
    helper = "/v1/test_helpers/issuing/authorizations"
    assert check_request("POST", helper, [("card", "ic_1"), ("amount", "1999")]) == []
    assert check_request("GET", "/v1/events", [("types[0]", "a"), ("limit", "3")]) == []


@pytest.mark.parametrize(
    ("pair", "problem"),
    [
        (("amount", "19.99"), "amount: '19.99' is not of type 'integer'"),
        (("confirm", "yes"), "confirm: 'yes' is not of type 'boolean'"),
        (("capture_method", "later"), "capture_method: 'later' is not one of"),
        (("payment_method_types[0]", "card"), "'payment_method_types' was unexpected"),
        (("payment_method_options[card][shoe]", "43"), "'shoe' is not published"),
        (("statement_descriptor_suffix", "x" * 23), "is too long"),
    ],
)
def test_a_wrong_parameter_is_caught(pair: tuple[str, str], problem: str) -> None:
    found = check_request("POST", "/v1/payment_intents", [*HOLD, pair])
    assert len(found) == 1
    assert problem in found[0]


def test_a_missing_or_unknown_parameter_of_other_calls_is_caught() -> None:
    assert check_request("POST", "/v1/payment_intents", HOLD[1:]) == [
        "body: 'amount' is a required property"
    ]
    assert check_request("GET", "/v1/events", [("limit", "many")]) != []
    assert check_request("GET", "/v1/events", [("shoe", "43")]) != []
    assert check_request("GET", "/v1/balance", [("limit", "1")]) != []


def test_whole_addresses_go_before_named_ones() -> None:
    assert published_path("/v1/issuing/cards/ic_1") == "/v1/issuing/cards/{card}"
    assert published_path("/v1/payment_intents/search") == "/v1/payment_intents/search"


def test_forms_are_nested_as_stripe_reads_them() -> None:
    pairs = [
        ("a[b][1]", "y"),
        ("a[b][0]", "x"),
        ("c[]", "1"),
        ("c[]", "2"),
        ("d", ""),
        ("a[e]", "z"),
    ]
    assert nested(pairs) == {"a": {"b": ["x", "y"], "e": "z"}, "c": ["1", "2"], "d": ""}
