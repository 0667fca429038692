"""What Stripe lets an account set in its dashboard only: the real-time webhook and its defaults."""

from typing import Any, Literal

import msgspec

Default = Literal["decline", "approve"]
LONGEST_LATENCY_MS = 60_000


class Settings(msgspec.Struct, forbid_unknown_fields=True):
    """The account's settings, and how slow its Stripe is.

    `authorization_timeout` answers for a webhook that is silent, `webhook_error` for one whose
    answer cannot be used. `latency_ms` is waited before every answer under `/v1`.
    """

    authorization_webhook_url: str | None = None
    authorization_webhook_secret: str | None = None
    authorization_timeout: Default = "decline"
    webhook_error: Default = "decline"
    latency_ms: int = 0

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
    url = new.authorization_webhook_url
    if url and not url.startswith(("http://", "https://")):
        raise BadSettings("authorization_webhook_url is an http or https address")
    if url and not (new.authorization_webhook_secret or "").startswith("whsec_"):
        raise BadSettings("authorization_webhook_secret is needed and starts with whsec_")
    return new
