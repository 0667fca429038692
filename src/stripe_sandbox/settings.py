"""What Stripe lets an account set in its dashboard only: the real-time webhook and its defaults."""

from typing import Any, Literal

import msgspec

Default = Literal["decline", "approve"]
LONGEST_LATENCY_MS = 60_000
LONGEST_TOPUP_SECONDS = 30 * 86_400
LONGEST_WAIT_SECONDS = 3_600


class Settings(msgspec.Struct, forbid_unknown_fields=True):
    """The account's settings, and how slow its Stripe is.

    `authorization_timeout` answers for a webhook that is silent, `webhook_error` for one whose
    answer cannot be used. `latency_ms` is waited before every answer under `/v1`.

    `authorization_seconds` is how long the real-time webhook is waited for: two seconds, as Stripe
    does (https://docs.stripe.com/issuing/controls/real-time-authorizations).

    `refunds_need_available_funds` has refunds wait, `pending`, while the available payments balance
    is less than they are, as Stripe does (https://docs.stripe.com/refunds). It is off unless asked
    for: what is charged is only available two days later, so on a fresh account with no other money
    every refund would wait for the clock, and most tests are not about that.

    `shopping` says whether the demo's customers, where there are any, go on buying.

    `topup_seconds` is how long a top-up takes on the sandbox's clock; Stripe says up to five
    business days (https://docs.stripe.com/issuing/funding/balance).
    """

    authorization_webhook_url: str | None = None
    authorization_webhook_secret: str | None = None
    authorization_timeout: Default = "decline"
    webhook_error: Default = "decline"
    authorization_seconds: float = 2.0
    latency_ms: int = 0
    refunds_need_available_funds: bool = False
    topup_seconds: int = 5 * 86_400
    shopping: bool = True

    def shown(self) -> dict[str, Any]:
        """The settings with the secret masked."""
        secret = self.authorization_webhook_secret
        masked = None if secret is None else f"{secret[:9]}****"
        return msgspec.structs.asdict(self) | {"authorization_webhook_secret": masked}


class BadSettings(ValueError):
    """Settings that contradict themselves or name an impossible value."""


def changed(settings: Settings, changes: dict[str, Any]) -> Settings:
    """Give the settings with these changes made, or raise `BadSettings`."""
    try:
        new = msgspec.convert(msgspec.structs.asdict(settings) | changes, Settings)
    except msgspec.ValidationError as error:
        raise BadSettings(str(error)) from error
    if not 0 <= new.latency_ms <= LONGEST_LATENCY_MS:
        raise BadSettings(f"latency_ms is between 0 and {LONGEST_LATENCY_MS}")
    if not 0 < new.authorization_seconds <= LONGEST_WAIT_SECONDS:
        raise BadSettings(f"authorization_seconds is above 0 and at most {LONGEST_WAIT_SECONDS}")
    if not 0 <= new.topup_seconds <= LONGEST_TOPUP_SECONDS:
        raise BadSettings(f"topup_seconds is between 0 and {LONGEST_TOPUP_SECONDS}")
    url = new.authorization_webhook_url
    if url and not url.startswith(("http://", "https://")):
        raise BadSettings("authorization_webhook_url is an http or https address")
    if url and not (new.authorization_webhook_secret or "").startswith("whsec_"):
        raise BadSettings("authorization_webhook_secret is needed and starts with whsec_")
    return new
