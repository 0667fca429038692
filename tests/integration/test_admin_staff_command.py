"""`proxycard staff` as a person types it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.postgres import PostgresServer

RUN = [sys.executable, "-c", "from app.cli import main; main()", "staff"]
ADD = ["add", "grace@example.com", "--name", "Grace Hopper", "--password-stdin"]


@pytest.fixture
def environment(postgres_server: PostgresServer, database: str) -> dict[str, str]:
    return os.environ | {
        "DATABASE_URL": postgres_server.app_url(database),
        "STRIPE_SECRET_KEY": "sk_test_command",
        "STRIPE_AUTHORIZATION_WEBHOOK_SECRET": "whsec_authorizations_of_the_tests",
        "STRIPE_EVENTS_WEBHOOK_SECRET": "whsec_events_of_the_tests",
        "SECRET_KEY": "a secret key of the tests, long enough",
    }


def run(
    environment: dict[str, str], folder: Path, *words: str, typed: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  this test's own words
        [*RUN, *words],
        env=environment,
        cwd=folder,
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_member_is_added_once_and_shut_out(environment: dict[str, str], tmp_path: Path) -> None:
    roles = ("--role", "support", "--role", "finance")
    added = run(environment, tmp_path, *ADD, *roles, typed="correct horse battery\n")
    assert (added.returncode, added.stderr) == (0, "")
    assert "Grace Hopper can sign in as grace@example.com: finance, support." in added.stdout
    again = run(environment, tmp_path, *ADD, *roles, typed="correct horse battery\n")
    assert again.returncode == 2
    assert again.stderr == "grace@example.com is a member of staff already\n"
    out = run(environment, tmp_path, "disable", "grace@example.com", "--reason", "left")
    assert (out.returncode, out.stderr) == (0, "")


def test_what_is_wrong_is_one_sentence(environment: dict[str, str], tmp_path: Path) -> None:
    short = run(environment, tmp_path, *ADD, "--role", "support", typed="too short\n")
    assert short.returncode == 2
    assert short.stderr == "a password has 12 to 200 characters\n"
    role = run(environment, tmp_path, *ADD, "--role", "king", typed="correct horse battery\n")
    assert role.returncode == 2
    assert "king" in role.stderr
    nobody = run(environment, tmp_path, "disable", "who@example.com", "--reason", "left")
    assert nobody.returncode == 2
    assert nobody.stderr == "nobody on the staff has the e-mail address who@example.com\n"
