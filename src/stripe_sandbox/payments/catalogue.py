"""The payments half of Stripe's interface: its routes, and what the clock does to it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from stripe import params

from stripe_sandbox.listing import list_page
from stripe_sandbox.payments import (
    balance,
    charges,
    control,
    customers,
    holds,
    payment_intents,
    payment_methods,
    refunds,
    setup_intents,
    topups,
)
from stripe_sandbox.routing import Call, ControlRoute, Route
from stripe_sandbox.world import ClockHook, Presenter


def _listing(kind: str) -> Callable[[Call], Awaitable[dict[str, Any]]]:
    async def list_all(call: Call) -> dict[str, Any]:
        page: dict[str, Any] = list_page(call, kind)
        return page

    return list_all


CUSTOMER = "/v1/customers/{customer}"
METHOD = "/v1/payment_methods/{payment_method}"
SETUP = "/v1/setup_intents/{intent}"
PAYMENT = "/v1/payment_intents/{intent}"

ROUTES: Sequence[Route] = (
    Route("POST", "/v1/customers", customers.create, params.CustomerCreateParams),
    Route("GET", "/v1/customers", customers.list_all, params.CustomerListParams, "customer"),
    Route("GET", CUSTOMER, customers.retrieve),
    Route("POST", CUSTOMER, customers.update, params.CustomerUpdateParams),
    Route("DELETE", CUSTOMER, customers.delete),
    Route(
        "GET",
        CUSTOMER + "/payment_methods",
        payment_methods.list_of_customer,
        params.CustomerPaymentMethodListParams,
        "payment_method",
    ),
    Route(
        "GET", CUSTOMER + "/payment_methods/{payment_method}", payment_methods.retrieve_of_customer
    ),
    Route("POST", "/v1/payment_methods", payment_methods.create, params.PaymentMethodCreateParams),
    Route(
        "GET",
        "/v1/payment_methods",
        payment_methods.list_all,
        params.PaymentMethodListParams,
        "payment_method",
    ),
    Route("GET", METHOD, payment_methods.retrieve),
    Route("POST", METHOD, payment_methods.update, params.PaymentMethodUpdateParams),
    Route("POST", METHOD + "/attach", payment_methods.attach, params.PaymentMethodAttachParams),
    Route("POST", METHOD + "/detach", payment_methods.detach),
    Route("POST", "/v1/setup_intents", setup_intents.create, params.SetupIntentCreateParams),
    Route(
        "GET",
        "/v1/setup_intents",
        _listing("setup_intent"),
        params.SetupIntentListParams,
        "setup_intent",
    ),
    Route("GET", SETUP, setup_intents.retrieve, params.SetupIntentRetrieveParams),
    Route("POST", SETUP, setup_intents.update, params.SetupIntentUpdateParams),
    Route("POST", SETUP + "/confirm", setup_intents.confirm, params.SetupIntentConfirmParams),
    Route("POST", SETUP + "/cancel", setup_intents.cancel, params.SetupIntentCancelParams),
    Route("POST", "/v1/payment_intents", payment_intents.create, params.PaymentIntentCreateParams),
    Route(
        "GET",
        "/v1/payment_intents",
        _listing("payment_intent"),
        params.PaymentIntentListParams,
        "payment_intent",
    ),
    Route("GET", PAYMENT, payment_intents.retrieve, params.PaymentIntentRetrieveParams),
    Route("POST", PAYMENT, payment_intents.update, params.PaymentIntentUpdateParams),
    Route("POST", PAYMENT + "/confirm", payment_intents.confirm, params.PaymentIntentConfirmParams),
    Route("POST", PAYMENT + "/capture", holds.capture, params.PaymentIntentCaptureParams),
    Route("POST", PAYMENT + "/cancel", holds.cancel, params.PaymentIntentCancelParams),
    Route("GET", "/v1/charges", _listing("charge"), params.ChargeListParams, "charge"),
    Route("GET", "/v1/charges/{charge}", charges.retrieve),
    Route("POST", "/v1/refunds", refunds.create, params.RefundCreateParams),
    Route("GET", "/v1/refunds", _listing("refund"), params.RefundListParams, "refund"),
    Route("GET", "/v1/refunds/{refund}", refunds.retrieve),
    Route("POST", "/v1/refunds/{refund}", refunds.update, params.RefundUpdateParams),
    Route(
        "GET",
        "/v1/charges/{charge}/refunds",
        refunds.list_of_charge,
        params.ChargeListRefundsParams,
        "refund",
    ),
    Route("GET", "/v1/balance", balance.retrieve),
    Route(
        "GET",
        "/v1/balance_transactions",
        balance.list_transactions,
        params.BalanceTransactionListParams,
        "balance_transaction",
    ),
    Route("GET", "/v1/balance_transactions/{transaction}", balance.retrieve_transaction),
    *topups.ROUTES,
)
CONTROL_ROUTES: Sequence[ControlRoute] = control.ROUTES
PRESENTERS: Mapping[str, Presenter] = {}
ON_CLOCK: Sequence[ClockHook] = (holds.pass_time, topups.pass_time, refunds.pass_time)
