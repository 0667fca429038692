"""Stripe's errors: what an operation raises, and the JSON a client is given for it."""

from typing import Any


class StripeError(Exception):
    """A refusal in Stripe's words.

    `extra` is merged into the error object, for the few errors that carry objects (a declined
    payment carries its `payment_intent`). Types and codes: https://docs.stripe.com/api/errors and
    https://docs.stripe.com/error-codes.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",  # noqa: A002  Stripe's name for it
        code: str | None = None,
        param: str | None = None,
        decline_code: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.type = type
        self.code = code
        self.param = param
        self.decline_code = decline_code
        self.extra = extra or {}

    def body(self, request_id: str) -> dict[str, Any]:
        """The error as Stripe answers it."""
        error: dict[str, Any] = {"message": self.message, "type": self.type}
        if self.code is not None:
            error["code"] = self.code
            error["doc_url"] = "https://stripe.com/docs/error-codes/" + self.code.replace("_", "-")
        if self.param is not None:
            error["param"] = self.param
        if self.decline_code is not None:
            error["decline_code"] = self.decline_code
        error["request_log_url"] = f"https://dashboard.stripe.com/test/logs/{request_id}"
        return {"error": error | self.extra}


# How Stripe names its objects in "No such …".
NAMES = {
    "issuing.authorization": "issuing authorization",
    "issuing.card": "issuing card",
    "issuing.cardholder": "issuing cardholder",
    "issuing.transaction": "issuing transaction",
    "payment_method": "PaymentMethod",
    "setup_intent": "setupintent",
    "webhook_endpoint": "webhook endpoint",
}


def no_such(kind: str, object_id: str, *, param: str | None = None) -> StripeError:
    """An unknown id: 404 in the path of a request, 400 as one of its parameters."""
    name = NAMES.get(kind, kind.replace(".", " "))
    return StripeError(
        f"No such {name}: '{object_id}'",
        status=404 if param is None else 400,
        code="resource_missing",
        param=param or "id",
    )
