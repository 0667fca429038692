"""Settings that are wrong refuse to start, in one sentence that names them."""

from pathlib import Path

import pytest

from app.config import ConfigError, from_mapping, load

GOOD = {
    "DATABASE_URL": "postgresql://app@localhost/cards",
    "STRIPE_SECRET_KEY": "sk_test_123",
    "STRIPE_AUTHORIZATION_WEBHOOK_SECRET": "whsec_aaaaaaaaaaaa",
    "STRIPE_EVENTS_WEBHOOK_SECRET": "whsec_bbbbbbbbbbbb",
    "SECRET_KEY": "k" * 32,
}


OFFLINE: dict[str, str | None] = {"STRIPE_API_BASE": "http://127.0.0.1:12111"}


def test_good_settings_are_read() -> None:
    settings = from_mapping(GOOD | {"PORT": "9000", "FUNDING_MODE": "charge"})

    assert (settings.port, settings.funding_mode, settings.simulated) == (9000, "charge", False)
    assert settings.clock_url is None
    assert "sk_test" not in repr(settings)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"DATABASE_URL": None}, "DATABASE_URL"),
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL"),
        ({"STRIPE_SECRET_KEY": "pk_test_1"}, "STRIPE_SECRET_KEY"),
        ({"STRIPE_SECRET_KEY": "sk_live_1"}, "APP_URL"),
        ({"STRIPE_AUTHORIZATION_WEBHOOK_SECRET": ""}, "STRIPE_AUTHORIZATION_WEBHOOK_SECRET"),
        ({"STRIPE_EVENTS_WEBHOOK_SECRET": "whsec_short"}, "STRIPE_EVENTS_WEBHOOK_SECRET"),
        ({"STRIPE_EVENTS_WEBHOOK_SECRET": "whsec_aaaaaaaaaaaa"}, "must differ"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"PORT": "eight"}, "PORT"),
        ({"FUNDING_MODE": "later"}, "FUNDING_MODE"),
        ({"BUSINESS_TIMEZONE": "Mars/Olympus"}, "BUSINESS_TIMEZONE"),
        ({"MAX_CHARGES_IN_FLIGHT": "0"}, "MAX_CHARGES_IN_FLIGHT"),
        ({"REPAIR_WAIT_SECONDS": "9"}, "REPAIR_WAIT_SECONDS"),
        ({"DECISION_PATIENCE": "2"}, "DECISION_PATIENCE"),
        (OFFLINE | {"DECISION_PATIENCE": "0.5"}, "DECISION_PATIENCE"),
        (OFFLINE | {"DECISION_PATIENCE": "nan"}, "DECISION_PATIENCE"),
        ({"APP_URL": "ftp://x"}, "APP_URL"),
        ({"MAIL_URL": "https://x"}, "MAIL_URL"),
        ({"TRUSTED_PROXIES": "10.0.0.1, somewhere"}, "TRUSTED_PROXIES"),
        ({"STRIPE_SECRET_KEY": "sk_live_1", "APP_URL": "https://x"}, "MAIL_URL"),
        ({"SUPPORT_REFUND_LIMIT": "fifty"}, "SUPPORT_REFUND_LIMIT"),
        ({"SUPPORT_REFUND_LIMIT": "-1"}, "SUPPORT_REFUND_LIMIT"),
        ({"DEMO_PASSWORD": "proxycard-demo"}, "DEMO_PASSWORD"),
        ({"DEMO_TOTP_SECRET": "PROXYCARDDEMOSECRETPROXYCARDDEMO"}, "DEMO_TOTP_SECRET"),
        (OFFLINE | {"DEMO_TOTP_SECRET": "not base 32"}, "DEMO_TOTP_SECRET"),
    ],
)
def test_a_wrong_setting_is_named(change: dict[str, str | None], named: str) -> None:
    given = {name: value for name, value in (GOOD | change).items() if value is not None}

    with pytest.raises(ConfigError, match=named):
        from_mapping(given)


def test_live_keys_never_meet_the_sandbox() -> None:
    live = {
        "STRIPE_SECRET_KEY": "sk_live_1",
        "APP_URL": "https://cards.example.com",
        "STRIPE_API_BASE": "http://127.0.0.1:12111",
    }

    with pytest.raises(ConfigError, match="STRIPE_API_BASE"):
        from_mapping(GOOD | live)


def test_several_secrets_may_be_given_for_rotation() -> None:
    both = "whsec_cccccccccccc, whsec_dddddddddddd"
    settings = from_mapping(GOOD | {"STRIPE_EVENTS_WEBHOOK_SECRET": both})

    assert settings.events_secrets == ("whsec_cccccccccccc", "whsec_dddddddddddd")


def test_the_environment_comes_before_dotenv_and_dotenv_before_the_local_stack(
    tmp_path: Path,
) -> None:
    (tmp_path / "data").mkdir()
    stack = "".join(f"{name}={value}\n" for name, value in GOOD.items())
    (tmp_path / "data" / "stack.env").write_text(f"# made by the local stack\n{stack}PORT=1\n")
    (tmp_path / ".env").write_text("PORT=2\nHOST=127.0.0.2\n")

    settings = load({"DATA_DIR": "data", "HOST": "127.0.0.3", "PORT": ""}, tmp_path)

    assert (settings.port, settings.host) == (2, "127.0.0.3")


def test_the_example_names_every_setting() -> None:
    example = Path(__file__).parents[2] / ".env.example"
    named = {
        line.lstrip("# ").split("=", 1)[0]
        for line in example.read_text().splitlines()
        if "=" in line and line.lstrip("# ").split("=", 1)[0].isupper()
    }
    settings = from_mapping(GOOD)

    assert {field.upper() for field in settings.__struct_fields__} <= named
