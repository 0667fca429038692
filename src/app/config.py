"""Every setting, read once at start-up: from the environment, then `.env`, then the local stack.

The local stack keeps what it generated in DATA_DIR/stack.env, so that every command finds a running
product by DATA_DIR alone.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

Network = IPv4Network | IPv6Network
STRIPE = "https://api.stripe.com"
STRIPE_VERSION = "2026-10-28.endive"
"""The version of Stripe's interface that everything here is written for."""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
SHORTEST_SECRET = 32
SHORTEST_REPAIR_WAIT_SECONDS = 10
"""No call of a decision may still be in flight when its outcome is read from Stripe's list."""


DEMO_PASSWORD = "proxycard-demo"  # noqa: S105  public: only where no money is
DEMO_TOTP_SECRET = "PROXYCARDDEMOSECRETPROXYCARDDEMO"  # noqa: S105  as above; 160 bits in base 32


class ConfigError(Exception):
    """A setting is missing or wrong: one sentence that names it and says what it wants."""


_BASE_32 = re.compile(r"(?:[A-Z2-7]{8}){2,}")


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename=str.upper):
    """The product's settings. `.env.example` says what each is for."""

    database_url: str
    stripe_secret_key: str
    stripe_authorization_webhook_secret: str
    stripe_events_webhook_secret: str
    secret_key: str
    database_owner_url: str = ""
    stripe_publishable_key: str = ""
    stripe_api_base: str = STRIPE
    stripe_js_url: str = "https://js.stripe.com/endive/stripe.js"
    app_url: str = "http://127.0.0.1:8000"
    host: str = "127.0.0.1"
    port: int = 8000
    realtime_port: int = 8001
    data_dir: str = ".data"
    funding_mode: Literal["hold", "charge"] = "hold"
    business_timezone: str = "UTC"
    statement_descriptor: str = "PROXYCARD"
    repair_wait_seconds: float = 90
    decision_patience: float = 1
    max_charges_in_flight: int = 30
    refused_funding_types: str = "prepaid"
    balance_every_seconds: float = 60
    debt_stops_cards_after_days: float = 3
    float_cover_days: float = 2
    support_refund_limit: Decimal = Decimal("50.00")
    demo_password: str = ""
    demo_totp_secret: str = ""
    admin_host: str = ""
    metrics_token: str = ""
    trusted_proxies: str = ""
    mail_url: str = ""
    mail_from: str = "Proxycard <no-reply@localhost>"
    otel_exporter_otlp_endpoint: str = ""

    def __repr__(self) -> str:
        return "Settings(...)"  # Half of the fields are secrets; none reaches a log.

    @property
    def authorization_secrets(self) -> tuple[str, ...]:
        return _listed(self.stripe_authorization_webhook_secret)

    @property
    def events_secrets(self) -> tuple[str, ...]:
        return _listed(self.stripe_events_webhook_secret)

    @property
    def refused_types(self) -> tuple[str, ...]:
        """What kinds of cards cannot be linked, in Stripe's words."""
        return _listed(self.refused_funding_types)

    @property
    def livemode(self) -> bool:
        return "_live_" in self.stripe_secret_key

    @property
    def simulated(self) -> bool:
        """Whether the card network is the offline one: demo sign-in, and a clock that moves."""
        return urlsplit(self.stripe_api_base).hostname in LOOPBACK

    @property
    def clock_url(self) -> str | None:
        """Where the business clock's offset is read; None where time cannot be moved."""
        return f"{self.stripe_api_base}/_sandbox/clock" if self.simulated else None

    @property
    def sandbox_url(self) -> str | None:
        return f"{self.stripe_api_base}/_sandbox/" if self.simulated else None

    @property
    def demo_secret(self) -> str | None:
        """The authenticator's secret of the demo's staff; None where the network is real."""
        return (self.demo_totp_secret or DEMO_TOTP_SECRET) if self.simulated else None

    @property
    def https(self) -> bool:
        return self.app_url.startswith("https://")

    @property
    def office_url(self) -> str:
        """Where the staff's browsers reach the back office, without a slash on its end."""
        if not self.admin_host:
            return self.app_url
        return f"{'https' if self.https else 'http'}://{self.admin_host}"

    @property
    def debt_allowed(self) -> timedelta:
        """How long a customer may owe something before their cards stop."""
        return timedelta(days=self.debt_stops_cards_after_days)

    @property
    def support_refund_limit_minor(self) -> int:
        """What may be given back without a second member of the staff, in minor units."""
        return int(self.support_refund_limit * 100)

    @property
    def proxies(self) -> tuple[Network, ...]:
        """Whose word on where a request comes from is believed."""
        return tuple(ip_network(one) for one in _listed(self.trusted_proxies))

    @property
    def owner_url(self) -> str:
        return self.database_owner_url or self.database_url


def load(environ: Mapping[str, str], folder: Path) -> Settings:
    """Read and check the settings. Raise ConfigError with one sentence when one is wrong."""
    dotenv = _read(folder / ".env")
    data_dir = environ.get("DATA_DIR") or dotenv.get("DATA_DIR") or ".data"
    stack = _read(folder / data_dir / "stack.env")
    given = {**stack, **dotenv, **{name: value for name, value in environ.items() if value}}
    return from_mapping({**given, "DATA_DIR": str(folder / data_dir)})


def from_mapping(given: Mapping[str, str]) -> Settings:
    """Build settings from text values. Raise ConfigError naming the first that is wrong."""
    try:
        settings = msgspec.convert(dict(given), Settings, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(_in_words(str(error))) from None
    _check_keys(settings)
    _check_secrets(settings)
    _check_demo(settings)
    _check_addresses(settings)
    _check_proxies(settings)
    return settings


def _check_keys(settings: Settings) -> None:
    key = settings.stripe_secret_key
    if not key.startswith(("sk_test_", "sk_live_", "rk_test_", "rk_live_")):
        raise ConfigError("STRIPE_SECRET_KEY must be a Stripe secret key, like sk_test_…")
    if settings.livemode and not settings.https:
        raise ConfigError("APP_URL must begin with https:// when STRIPE_SECRET_KEY is a live key")
    if settings.livemode and settings.simulated:
        raise ConfigError("STRIPE_API_BASE must be Stripe's own when the key is a live key")


def _check_secrets(settings: Settings) -> None:
    names = {
        "STRIPE_AUTHORIZATION_WEBHOOK_SECRET": settings.authorization_secrets,
        "STRIPE_EVENTS_WEBHOOK_SECRET": settings.events_secrets,
    }
    for name, secrets in names.items():
        if not secrets or not all(s.startswith("whsec_") and len(s) >= 16 for s in secrets):  # noqa: PLR2004
            raise ConfigError(f"{name} must be one or more whsec_… secrets, separated by commas")
    if set(settings.authorization_secrets) & set(settings.events_secrets):
        raise ConfigError(
            "STRIPE_AUTHORIZATION_WEBHOOK_SECRET and STRIPE_EVENTS_WEBHOOK_SECRET must differ: "
            "each endpoint has its own"
        )
    if len(settings.secret_key) < SHORTEST_SECRET:
        raise ConfigError(f"SECRET_KEY must have {SHORTEST_SECRET} characters or more")


def _check_demo(settings: Settings) -> None:
    for name in ("demo_password", "demo_totp_secret"):
        if getattr(settings, name) and not settings.simulated:
            raise ConfigError(f"{name.upper()} is for the offline Stripe only: leave it unset here")
    secret = settings.demo_totp_secret
    if secret and not _BASE_32.fullmatch(secret):
        raise ConfigError("DEMO_TOTP_SECRET must be 16, 24, 32, … of A-Z and 2-7")


def _check_addresses(settings: Settings) -> None:
    if not settings.database_url.startswith("postgresql://"):
        raise ConfigError("DATABASE_URL must begin with postgresql://")
    if not settings.app_url.startswith(("http://", "https://")):
        raise ConfigError("APP_URL must begin with http:// or https://")
    collector = settings.otel_exporter_otlp_endpoint
    if collector and not collector.startswith(("http://", "https://")):
        raise ConfigError("OTEL_EXPORTER_OTLP_ENDPOINT must begin with http:// or https://")
    if settings.mail_url and not settings.mail_url.startswith(("smtp://", "smtps://")):
        raise ConfigError("MAIL_URL must begin with smtp:// or smtps://")
    if settings.livemode and not settings.mail_url:
        raise ConfigError("MAIL_URL must be set with live keys: nobody could sign up without mail")
    limit = settings.support_refund_limit
    if not limit.is_finite() or limit < 0 or limit * 100 % 1:
        raise ConfigError("SUPPORT_REFUND_LIMIT must be an amount like 50.00")
    if settings.max_charges_in_flight < 1:
        raise ConfigError("MAX_CHARGES_IN_FLIGHT must be 1 or more")
    _check_times(settings)


def _check_times(settings: Settings) -> None:
    least = 0.1 if settings.simulated else SHORTEST_REPAIR_WAIT_SECONDS
    if settings.repair_wait_seconds < least:
        raise ConfigError(f"REPAIR_WAIT_SECONDS must be {least} or more")
    patience = settings.decision_patience
    if patience != 1 and not (settings.simulated and patience > 1):
        raise ConfigError("DECISION_PATIENCE is 1, or more where STRIPE_API_BASE is offline")
    try:
        ZoneInfo(settings.business_timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise ConfigError(
            "BUSINESS_TIMEZONE must be a time zone like UTC or Europe/Paris"
        ) from None


def _check_proxies(settings: Settings) -> None:
    try:
        _ = settings.proxies
    except ValueError:
        raise ConfigError(
            "TRUSTED_PROXIES must be addresses or networks like 10.0.0.0/8, separated by commas"
        ) from None


def _listed(value: str) -> tuple[str, ...]:
    return tuple(part for part in (p.strip() for p in value.split(",")) if part)


def _read(file: Path) -> dict[str, str]:
    if not file.is_file():
        return {}
    lines = (line.strip() for line in file.read_text().splitlines())
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs if value.strip()}


def _in_words(error: str) -> str:
    if "missing required field" in error:
        name = error.split("`", 2)[1]
        return f"{name} is not set; .env.example says what it wants"
    path = error.rsplit("$.", 1)[-1].rstrip("`") if "$." in error else "A setting"
    return f"{path}: {error.split(' - at', maxsplit=1)[0]}"
