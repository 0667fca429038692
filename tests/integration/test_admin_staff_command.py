"""`proxycard staff` as a person types it."""

from pathlib import Path

import pytest

from tests.command_line import run_here
from tests.postgres import PostgresServer

ADD = ("staff", "add", "grace@example.com", "--name", "Grace Hopper", "--password-stdin")
LONG = "correct horse battery\n"


@pytest.fixture
def settings(postgres_server: PostgresServer, database: str) -> dict[str, str]:
    return {
        "DATABASE_URL": postgres_server.app_url(database),
        "STRIPE_SECRET_KEY": "sk_test_command",
        "STRIPE_AUTHORIZATION_WEBHOOK_SECRET": "whsec_authorizations_of_the_tests",
        "STRIPE_EVENTS_WEBHOOK_SECRET": "whsec_events_of_the_tests",
        "SECRET_KEY": "a secret key of the tests, long enough",
    }


async def test_a_member_is_added_once_and_shut_out(
    settings: dict[str, str], tmp_path: Path
) -> None:
    roles = ("--role", "support", "--role", "finance")
    added = await run_here(tmp_path, *ADD, *roles, typed=LONG, **settings)
    assert (added.code, added.complaint) == (0, "")
    assert "Grace Hopper can sign in as grace@example.com: finance, support." in added.output
    again = await run_here(tmp_path, *ADD, *roles, typed=LONG, **settings)
    assert again.code == 2
    assert again.complaint == "grace@example.com is a member of staff already\n"
    why = ("--reason", "forgot it", "--password-stdin")
    another = ("staff", "password", "grace@example.com", *why)
    for typed, code in (("short\n", 2), ("a new long password\n", 0)):
        assert (await run_here(tmp_path, *another, typed=typed, **settings)).code == code
    for words, said in {
        ("role", "grace@example.com", "--role", "risk"): "Grace Hopper holds risk",
        ("reset-totp", "grace@example.com"): "enrols a new authenticator",
        ("disable", "grace@example.com"): "cannot sign in any more",
    }.items():
        out = await run_here(tmp_path, "staff", *words, "--reason", "left", **settings)
        assert (out.code, out.complaint) == (0, "")
        assert said in out.output


async def test_what_is_wrong_is_one_sentence(settings: dict[str, str], tmp_path: Path) -> None:
    short = await run_here(tmp_path, *ADD, "--role", "support", typed="too short\n", **settings)
    assert short.code == 2
    assert short.complaint.startswith("Use 12 to 200 characters.")
    role = await run_here(tmp_path, *ADD, "--role", "king", typed=LONG, **settings)
    assert role.code == 2
    assert "king" in role.complaint


async def test_codes_are_told_for_the_demo_only(
    settings: dict[str, str], tmp_path: Path, database: str, postgres_server: PostgresServer
) -> None:
    await run_here(tmp_path, *ADD, "--role", "owner", typed=LONG, **settings)
    offline = settings | {"STRIPE_API_BASE": "http://127.0.0.1:1"}
    words = ("staff", "code", "grace@example.com")
    told = [await run_here(tmp_path, *words, **offline)]
    postgres_server.cluster.psql("UPDATE staff SET demo = true", database)
    shown = await run_here(tmp_path, *words, **offline)
    assert (shown.code, shown.output[:6].isdigit()) == (0, True)
    told.append(await run_here(tmp_path, *words, **settings))
    for refused in told:
        assert (refused.code, refused.output) == (2, "")
        assert "for the demo's members only" in refused.complaint
