"""The settings of one run: given by the person, generated once, or the defaults of a laptop."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from app.config import DEMO_PASSWORD
from local_stack.data_folder import DataFolder
from local_stack.env_files import read_env_file, write_env_file
from local_stack.refusal import Refusal

_STRIPE_SECRETS = (
    "STRIPE_PUBLISHABLE_KEY",
    "STRIPE_AUTHORIZATION_WEBHOOK_SECRET",
    "STRIPE_EVENTS_WEBHOOK_SECRET",
)
_NAMES = (
    *("DATABASE_URL", "DATABASE_OWNER_URL", "STRIPE_SECRET_KEY", *_STRIPE_SECRETS),
    *("STRIPE_API_BASE", "STRIPE_JS_URL", "APP_URL", "SECRET_KEY", "FUNDING_MODE"),
    *("BUSINESS_TIMEZONE", "REPAIR_WAIT_SECONDS", "METRICS_TOKEN", "MAX_CHARGES_IN_FLIGHT"),
    *("BALANCE_EVERY_SECONDS", "DEBT_STOPS_CARDS_AFTER_DAYS", "MAIL_URL", "MAIL_FROM"),
    *("DEMO_DAYS", "DEMO_PASSWORD", "SUPPORT_REFUND_LIMIT", "REFUSED_FUNDING_TYPES"),
    *("HOST", "PORT", "REALTIME_PORT", "SANDBOX_PORT", "DATA_DIR"),
)
_LOOPBACK = "127.0.0.1"
_NO_LONGER_SECRET = frozenset({"DEMO_PASSWORD"})
DEMO_DAYS = 90
MOST_DEMO_DAYS = 365
_SANDBOX_BALANCE_EVERY_SECONDS = "1"
_SANDBOX_REPAIR_WAIT_SECONDS = "3"
"""The sandbox lists a PaymentIntent at once, where Stripe itself may take a while."""


@dataclass(frozen=True)
class StackSettings:
    """What one run was asked to be. `given` holds the settings a person gave, by name."""

    folder: DataFolder
    given: Mapping[str, str]
    host: str
    port: int
    sandbox_port: int

    @property
    def brings_database(self) -> bool:
        """True when the stack keeps its own database, so that it may also change it."""
        return "DATABASE_URL" not in self.given

    @property
    def brings_stripe(self) -> bool:
        """True when the offline Stripe stands in for the real one."""
        return not {"STRIPE_SECRET_KEY", "STRIPE_API_BASE"} & self.given.keys()

    @property
    def brings_demo_data(self) -> bool:
        """True when nothing the person has could be mixed up with the demo's people and cards."""
        return self.brings_database and self.brings_stripe

    @property
    def demo_days(self) -> int:
        """How many days the demo's story goes back; without any nobody goes on shopping either."""
        text = self.given.get("DEMO_DAYS", str(DEMO_DAYS))
        if not (text.isascii() and text.isdigit() and int(text) <= MOST_DEMO_DAYS):
            raise Refusal(
                f"DEMO_DAYS is {text!r}: wants a number of days, {MOST_DEMO_DAYS} at most."
            )
        return int(text)

    @property
    def app_url(self) -> str:
        return self.given.get("APP_URL", self.local_url)

    @property
    def local_url(self) -> str:
        """Where this machine itself reaches the app."""
        host = _LOOPBACK if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104  compared
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://{_LOOPBACK}:{self.sandbox_port}"


def read_settings(environment: Mapping[str, str], dotenv: Path) -> StackSettings:
    """Read what was given, the environment before the file; a blank value is not given.

    Raises a refusal for a live key, an incomplete set of Stripe keys and a port that is none.
    """
    from_environment = {name: environment[name] for name in _NAMES if environment.get(name)}
    given = read_env_file(dotenv) | from_environment
    settings = StackSettings(
        folder=DataFolder(Path(given.get("DATA_DIR", ".data"))),
        given=given,
        host=given.get("HOST", _LOOPBACK),
        port=_port(given, "PORT", 8000),
        sandbox_port=_port(given, "SANDBOX_PORT", 12111),
    )
    if not given.get("DATABASE_URL", "postgresql://").startswith("postgresql://"):
        raise Refusal("DATABASE_URL wants an address that begins with postgresql://")
    if settings.brings_stripe:
        if settings.port == settings.sandbox_port:
            raise Refusal(f"PORT and SANDBOX_PORT are both {settings.port}: want two ports.")
    else:
        _check_stripe_keys(given)
    return settings


def generated_secrets(folder: DataFolder) -> dict[str, str]:
    """Return the secrets of this data folder, made on first use and the same ever after."""
    kept = read_env_file(folder.secrets)
    made = {
        "SECRET_KEY": secrets.token_urlsafe(48),
        "STRIPE_SECRET_KEY": f"sk_test_{secrets.token_hex(24)}",
        "STRIPE_PUBLISHABLE_KEY": f"pk_test_{secrets.token_hex(24)}",
        "STRIPE_AUTHORIZATION_WEBHOOK_SECRET": f"whsec_{secrets.token_hex(24)}",
    }
    if not made.keys() <= kept.keys():
        kept = made | kept
        write_env_file(folder.secrets, kept)
    return {name: value for name, value in kept.items() if name not in _NO_LONGER_SECRET}


def demo_password(settings: StackSettings) -> str:
    """Return the password of the demo's customer and staff: given by the person, or the default."""
    return settings.given.get("DEMO_PASSWORD", DEMO_PASSWORD)


def child_settings(
    settings: StackSettings, database: Mapping[str, str], generated: Mapping[str, str]
) -> dict[str, str]:
    """Put together what the app, the worker and the command line run with."""
    values = {
        **generated,
        **database,
        "APP_URL": settings.app_url,
        "HOST": settings.host,
    }
    given = dict(settings.given)
    if settings.brings_stripe:
        values |= {
            "STRIPE_API_BASE": settings.sandbox_url,
            "STRIPE_JS_URL": f"{settings.sandbox_url}/_sandbox/stripe.js",
            "REPAIR_WAIT_SECONDS": _SANDBOX_REPAIR_WAIT_SECONDS,
            "BALANCE_EVERY_SECONDS": _SANDBOX_BALANCE_EVERY_SECONDS,
        }
        # They belong to a Stripe account that is not used now.
        given = {name: value for name, value in given.items() if name not in _STRIPE_SECRETS}
    fixed = {"DATA_DIR": str(settings.folder.path), "PORT": str(settings.port)}
    return values | given | fixed | {"SANDBOX_PORT": str(settings.sandbox_port)}


def _port(given: Mapping[str, str], name: str, default: int) -> int:
    text = given.get(name, str(default))
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 1 << 16):
        raise Refusal(f"{name} is {text!r}: wants a port from 1 to 65535.")
    return int(text)


def _check_stripe_keys(given: Mapping[str, str]) -> None:
    key = given.get("STRIPE_SECRET_KEY", "")
    if key.startswith(("sk_live_", "rk_live_")):
        raise Refusal(
            "STRIPE_SECRET_KEY is a live key and `make run` is for trying things out: "
            "wants a test key (sk_test_…), or none for the offline Stripe."
        )
    if not key.startswith(("sk_test_", "rk_test_")):
        raise Refusal(
            "STRIPE_SECRET_KEY is not a test key: wants sk_test_…, or none for the offline Stripe."
        )
    missing = [name for name in _STRIPE_SECRETS if name not in given]
    if missing:
        raise Refusal(
            f"STRIPE_SECRET_KEY is given and {', '.join(missing)} not: "
            "Stripe's test mode wants them all."
        )
