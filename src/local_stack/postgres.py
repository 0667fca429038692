"""Keeps one PostgreSQL cluster in a folder: made on first use, reached by a Unix socket only.

Nobody signs in with a password: the socket lies in a folder that only its owner may enter, and
there is no port, so that two copies of the product never meet.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from string import Template
from urllib.parse import quote

from local_stack.postgres_programs import Programs, find_programs
from local_stack.processes import Child, Command, Logs, spawn
from local_stack.refusal import Failure, Refusal

DATABASE = "proxycard"
OWNER = "proxycard_owner"
"""Owns the database and its tables; only migrations sign in as it."""
APPLICATION = "proxycard_app"
"""What the product runs as: it reads and writes rows, and cannot change the schema."""
SUPERUSER = "postgres"
DATABASE_SERVER = "PostgreSQL"
"""What its process is called."""

_PORT = 5432  # not a port of this machine: it only names the socket
_LONGEST_SOCKET_FOLDER = 80  # the whole path may have 103 bytes on macOS, 107 on Linux
_START_SECONDS = 60.0
_STOP_SECONDS = 60.0
_POLL_SECONDS = 0.01
_FIRST_WITH_BUILTIN_LOCALE = 17
_STATUS_LINE = 7  # of the lock file, as pg_ctl reads it

# For a small machine; the names are PostgreSQL's own.
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": str(_PORT),
    "max_connections": "100",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
}
# For a cluster that need not survive a power cut, because each run of the tests makes its own.
_EPHEMERAL_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}

_ROLES_AND_DATABASE = Template(r"""
SELECT 'CREATE ROLE $owner LOGIN'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '$owner') \gexec
SELECT 'CREATE ROLE $application LOGIN'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '$application') \gexec
SELECT 'CREATE DATABASE $database OWNER $owner'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '$database') \gexec
REVOKE ALL ON DATABASE $database FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE $database TO $application;
""").substitute(owner=OWNER, application=APPLICATION, database=DATABASE)


class Cluster:
    """A PostgreSQL cluster in `folder`, for one process at a time to start and to stop.

    An `ephemeral` one trades surviving a power cut for speed.
    """

    def __init__(self, folder: Path, log: Path, *, ephemeral: bool = False) -> None:
        """Find the programs; raises `Refusal` when PostgreSQL cannot be run here."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder.resolve()
        self._programs: Programs = find_programs(self.folder)
        self._home = self._programs.home(self.folder)
        self.data = self._home / "data"
        self._sockets = _socket_folder(self._home)
        self.log = log
        self._settings = _SETTINGS | (_EPHEMERAL_SETTINGS if ephemeral else {})
        self._ephemeral = ephemeral
        self._server: Child | None = None

    def start(self) -> Child:
        """Make the cluster if there is none, start its server, and have both roles and database.

        What an earlier process left behind is dealt with: a server that outlived it is stopped, a
        crashed one's lock files are cleared. Raises `Failure` with the log's last lines when the
        server does not come up.
        """
        self._create_if_missing()
        self._end_leftovers()
        self._make_socket_folder()
        settings = self._settings | {"unix_socket_directories": str(self._sockets)}
        words = self._programs.command(
            "postgres",
            *("-D", self.data),
            *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
        )
        # The signal is a fast shutdown: it does not wait for clients to leave.
        command = Command(DATABASE_SERVER, words, self._programs.user, stop_signal=signal.SIGINT)
        self._server = spawn(command, Logs.in_one(self.log))
        self._wait_until_ready(self._server)
        self.psql(_ROLES_AND_DATABASE)
        return self._server

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop(_STOP_SECONDS)
            self._server = None

    def forget(self) -> None:
        """Delete the cluster and everything in it; a server left behind on it is stopped first."""
        self._end_leftovers()
        for folder in (self._sockets, self._home, self.folder):
            shutil.rmtree(folder, ignore_errors=True)

    def url(self, role: str = APPLICATION, database: str = DATABASE) -> str:
        return f"postgresql://{role}@/{database}?host={quote(str(self._sockets))}&port={_PORT}"

    def psql(self, statements: str, database: str = "postgres") -> str:
        """Run statements as the superuser, each in a transaction of its own; return the rows."""
        return self._programs.run(
            "psql",
            *("-h", self._sockets, "-p", str(_PORT), "-U", SUPERUSER, "-d", database),
            *("-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-"),
            stdin=statements,
        ).strip()

    def _create_if_missing(self) -> None:
        made_by = self.data / "PG_VERSION"
        if made_by.exists():
            version = made_by.read_text().strip()
            if version != str(self._programs.version):
                raise Refusal(
                    f"The data in {self.data} was made by PostgreSQL {version} and this is "
                    f"{self._programs.version}: install {version}, or forget it (make run-fresh)."
                )
            return
        # Made beside its place, so that an interrupted start leaves no half of a cluster.
        unfinished = self._home / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._programs.run(
            "initdb",
            *("-D", unfinished, "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8"),
            *_locale(self._programs.version),
            *(["--no-sync"] if self._ephemeral else []),
        )
        unfinished.rename(self.data)

    def _end_leftovers(self) -> None:
        """Stop a server that outlived its supervisor; clear the lock files of one that crashed.

        PostgreSQL believes a lock file whose process id is in use again by something else, which
        after a crash is likely where process ids start small (containers).
        """
        lock = self.data / "postmaster.pid"
        if not lock.exists():
            return
        pid = int(lock.read_text().split("\n", 1)[0] or 0)
        if str(self.data) in _command_line(pid):
            os.kill(pid, signal.SIGINT)
            if not _until(lambda: not _command_line(pid), _STOP_SECONDS):
                raise Failure(f"The PostgreSQL left behind as process {pid} does not stop.")
        lock.unlink(missing_ok=True)
        for socket in self._sockets.glob(".s.PGSQL.*"):
            socket.unlink()

    def _make_socket_folder(self) -> None:
        self._sockets.mkdir(mode=0o700, exist_ok=True)
        owner = self._home.stat().st_uid
        if self._sockets.lstat().st_uid not in {owner, os.geteuid()}:
            raise Refusal(f"{self._sockets} belongs to someone else: the database needs it.")
        self._sockets.chmod(0o700)
        os.chown(self._sockets, owner, -1)

    def _wait_until_ready(self, server: Child) -> None:
        """Wait until the server says so in its lock file, as pg_ctl does."""

        def is_ready() -> bool:
            if not server.is_running():
                raise Failure(f"PostgreSQL ended while starting:\n{server.last_words()}")
            lock = self.data / "postmaster.pid"
            lines = lock.read_text().split("\n") if lock.exists() else []
            ours = len(lines) > _STATUS_LINE and lines[0] == str(server.process.pid)
            return ours and lines[_STATUS_LINE].strip() == "ready"

        if not _until(is_ready, _START_SECONDS):
            server.stop()
            raise Failure(f"PostgreSQL is not ready after {_START_SECONDS:.0f} s.")


@contextmanager
def running(cluster: Cluster) -> Iterator[Cluster]:
    """Keep the cluster's server up for the length of a with-block."""
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()


def _socket_folder(home: Path) -> Path:
    """Return a folder whose path is short enough for a socket's address."""
    if len(str(home)) <= _LONGEST_SOCKET_FOLDER:
        return home / "socket"
    return Path("/tmp") / f"proxycard-{sha256(str(home).encode()).hexdigest()[:16]}"  # noqa: S108  made 0700 and its owner is checked


def _locale(version: int) -> list[str]:
    """Return the options that make text sort the same on every machine."""
    if version >= _FIRST_WITH_BUILTIN_LOCALE:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return ["--locale=C"]


def _command_line(pid: int) -> str:
    """Return what the process was started with; empty when there is none (any more)."""
    if Path("/proc/self").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            return ""
    done = subprocess.run(  # noqa: S603
        ["/bin/ps", "-p", str(pid), "-o", "command="], capture_output=True, text=True, check=False
    )
    return done.stdout


def _until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait for the condition; tell whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
