"""What stands in the way is named in one sentence, and the exit code is 2."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from local_stack.data_folder import DataFolder
from local_stack.ports import free_ports
from local_stack.refusal import REFUSED
from tests.postgres import PostgresServer

TEST_KEY = {"STRIPE_SECRET_KEY": "sk_test_123"}


def run(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command in an empty folder with nothing set but these."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    ours = kept | {"DATA_DIR": str(folder / "data")} | settings
    return subprocess.run(
        [sys.executable, "-m", "local_stack", "run"],
        cwd=folder,
        env=ours,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"STRIPE_SECRET_KEY": "sk_live_123"}, "STRIPE_SECRET_KEY is a live key"),
        ({"STRIPE_SECRET_KEY": "rk_live_123"}, "STRIPE_SECRET_KEY is a live key"),
        ({"STRIPE_SECRET_KEY": "secret"}, "STRIPE_SECRET_KEY is not a test key"),
        (TEST_KEY, "STRIPE_PUBLISHABLE_KEY, STRIPE_AUTHORIZATION_WEBHOOK_SECRET"),
        ({"PORT": "http"}, "PORT is 'http': wants a port from 1 to 65535."),
        ({"SANDBOX_PORT": "70000"}, "SANDBOX_PORT is '70000': wants a port from 1 to 65535."),
        ({"PORT": "9000", "SANDBOX_PORT": "9000"}, "PORT and SANDBOX_PORT are both 9000"),
        ({"HOST": "192.0.2.1"}, "HOST 192.0.2.1 is not an address of this machine."),
        ({"DATABASE_URL": "mysql://db"}, "DATABASE_URL wants an address that begins with"),
        ({"DATA_DIR": "/dev/null"}, "DATA_DIR /dev/null cannot be used"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, settings: dict[str, str], sentence: str) -> None:
    assert_refused(run(tmp_path, **settings), sentence)


@pytest.mark.parametrize("setting", ["PORT", "SANDBOX_PORT"])
def test_a_port_in_use_is_named_with_its_setting(tmp_path: Path, setting: str) -> None:
    (other_port,) = free_ports(1)
    others = {"PORT": str(other_port), "SANDBOX_PORT": str(other_port)}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        done = run(tmp_path, **others | {setting: str(port)})
    assert_refused(done, f"Port {port} is in use: end what listens on it, or set {setting} to")


def test_a_data_folder_in_use_is_named(tmp_path: Path) -> None:
    with DataFolder(tmp_path / "data").claimed():
        done = run(tmp_path)
    assert_refused(done, f"Another `make run` uses DATA_DIR {tmp_path / 'data'}")


def test_a_folder_with_other_things_is_not_taken_for_data(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "thesis.txt").write_text("ten years of work")
    assert_refused(run(tmp_path), "holds other things: wants a folder of its own.")


def test_a_database_that_was_given_has_to_be_reachable(tmp_path: Path) -> None:
    port, sandbox_port, nobody_listens = map(str, free_ports(3))
    url = f"postgresql://app@127.0.0.1:{nobody_listens}/proxycard"
    done = run(tmp_path, PORT=port, SANDBOX_PORT=sandbox_port, DATABASE_URL=url)
    assert_refused(done, "DATABASE_URL cannot be used (")


def test_a_database_that_was_given_is_not_migrated(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    port, sandbox_port = map(str, free_ports(2))
    empty = postgres_server.create()
    url = postgres_server.app_url(empty)
    done = run(tmp_path, PORT=port, SANDBOX_PORT=sandbox_port, DATABASE_URL=url)
    assert_refused(done, "The database of DATABASE_URL lacks migrations")
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    assert postgres_server.cluster.psql(tables, empty) == "0"


def test_a_line_of_the_settings_file_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# settings\nPORT 8000\n")
    assert_refused(run(tmp_path), ".env, line 2: wants NAME=value.")


def test_a_live_key_in_the_settings_file_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text('STRIPE_SECRET_KEY="sk_live_123"\n')
    assert_refused(run(tmp_path), "STRIPE_SECRET_KEY is a live key")


def assert_refused(done: subprocess.CompletedProcess[str], sentence: str) -> None:
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert "sk_" not in done.stderr.replace("sk_test_…", "")
    assert done.returncode == REFUSED
