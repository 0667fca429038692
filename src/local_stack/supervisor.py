"""Starts the parts of the stack in order, keeps them running, and ends them in reverse."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from local_stack.env_files import write_env_file
from local_stack.log_follower import LogFollower
from local_stack.mending import Mender, end_of_log, ended
from local_stack.offline_stripe import OfflineStripe
from local_stack.ports import check_free
from local_stack.postgres import DATABASE_SERVER, OWNER, Cluster
from local_stack.processes import Child, Command, Logs, spawn
from local_stack.refusal import Failure
from local_stack.schema_stamp import SchemaStamp
from local_stack.settings import StackSettings, child_settings, generated_secrets
from local_stack.stop_request import StopRequest

_READY_SECONDS = 60.0
_TASK_SECONDS = 300.0
_DEMO_DATA_SECONDS = 9.0
"""What is not there by then goes on loading while the product serves."""
_ANSWER_SECONDS = 5.0
_WORKER_STARTED = b'"worker_started"'
"""What the worker logs when it is up; it listens nowhere that could be asked."""
_EVENTS_SECRET = "STRIPE_EVENTS_WEBHOOK_SECRET"  # noqa: S105  the name of a setting


class Stack:
    """One copy of the product on this machine; its data folder has to be claimed already."""

    def __init__(
        self, settings: StackSettings, stop_request: StopRequest, write: Callable[[str], object]
    ) -> None:
        self.settings = settings
        self.environment: dict[str, str] = {}
        """What the children run with, complete once the database and Stripe are up."""
        self._stop_request = stop_request
        self._write = write
        self._children: list[Child] = []
        self._cluster: Cluster | None = None
        self._mender = Mender(self._start_again, write)
        self._worker_log: LogFollower | None = None
        self._secrets = generated_secrets(settings.folder)

    def start(self) -> None:
        """Start everything, one line for each step.

        Raises `Refusal` for what the person has to change, `Failure` with the end of its log for
        a part that does not come up. Whatever happens, `stop` ends what was started.
        """
        self._check_ports()
        steps = self._steps()
        for number, (name, step) in enumerate(steps, start=1):
            began = time.monotonic()
            self._write(f"{number}/{len(steps)} {name} … ")
            try:
                step()
            except BaseException:
                self._write("\n")
                raise
            self._write(f"{time.monotonic() - began:.1f} s\n")

    def stop(self) -> None:
        """End the children in reverse order and the database last; nothing is left running."""
        while self._children:
            self._children.pop().stop()
        if self._cluster is not None:
            self._cluster.stop()
            self._cluster = None

    def check_children(self) -> None:
        """Raise `Failure` with the end of its log when a part has ended by itself."""
        for child in self._children:
            if not child.is_running():
                raise ended(child)

    def mend(self) -> None:
        """Start again what has ended by itself since everything was up, and say so.

        Raises `Failure` with the end of its log for a part that keeps on dying.
        """
        self._mender.mend(self._children, time.monotonic())

    def _start_again(self, child: Child) -> Child:
        """Start a part as it was started first; its data and settings are where they were."""
        if self._cluster is not None and child.command.name == DATABASE_SERVER:
            return self._cluster.start()
        return spawn(child.command, self._log(child.command.name), self._child_environment())

    def _steps(self) -> list[tuple[str, Callable[[], None]]]:
        settings = self.settings
        own_database, own_stripe = settings.brings_database, settings.brings_stripe
        steps = [
            ("PostgreSQL", self._start_postgres) if own_database else None,
            None if own_database else ("migrations", self._check_migrations),
            ("offline Stripe", self._start_offline_stripe) if own_stripe else None,
            # The app's commands want all settings, and one secret is known only now.
            ("migrations", self._migrate) if own_database else None,
            ("app", self._start_app_and_worker),
            ("worker", self._wait_for_worker),
            ("demo data", self._load_demo_data) if settings.brings_demo_data else None,
            ("ready", self._wait_until_ready),
        ]
        return [step for step in steps if step is not None]

    def _check_ports(self) -> None:
        check_free("PORT", self.settings.host, self.settings.port)
        if self.settings.brings_stripe:
            check_free("SANDBOX_PORT", "127.0.0.1", self.settings.sandbox_port)

    def _start_postgres(self) -> None:
        self._cluster = self.settings.folder.cluster()
        self._children.append(self._cluster.start())
        self._set_environment()

    def _set_environment(self) -> None:
        urls = {}
        if self._cluster is not None:
            urls = {
                "DATABASE_URL": self._cluster.url(),
                "DATABASE_OWNER_URL": self._cluster.url(OWNER),
            }
        self.environment = child_settings(self.settings, urls, self._secrets)
        write_env_file(self.settings.folder.stack, self.environment)

    def _migrate(self) -> None:
        assert self._cluster is not None
        stamp = SchemaStamp(self.settings.folder.schema_stamp, self._cluster)
        if not stamp.is_current():
            self._run_to_end("migrations", [_program("proxycard"), "db", "upgrade"])
            stamp.renew()

    def _check_migrations(self) -> None:
        """A database that was given is looked at, and changed only by the person who gave it."""
        self._set_environment()
        self._run_to_end("migrations", [sys.executable, "-m", "local_stack.schema_check"])

    def _start_offline_stripe(self) -> None:
        settings, secrets = self.settings, self._secrets
        where = ("--host", "127.0.0.1", "--port", str(settings.sandbox_port))
        is_new = not settings.folder.sandbox.exists()
        words = [sys.executable, "-m", "stripe_sandbox", *where]
        child = self._spawn("offline Stripe", [*words, "--data-dir", settings.folder.sandbox])
        stripe = OfflineStripe(settings.sandbox_port, secrets["STRIPE_SECRET_KEY"])
        self._wait_for(child, stripe.is_healthy)
        if is_new and settings.brings_demo_data and settings.demo_days:
            begin = [sys.executable, "-m", "local_stack.demo_past", str(settings.demo_days)]
            self._run_to_end("demo beginning", begin)
        stripe.send_authorizations_to(
            settings.local_url, secrets["STRIPE_AUTHORIZATION_WEBHOOK_SECRET"]
        )
        known = secrets.get(_EVENTS_SECRET)
        secrets[_EVENTS_SECRET] = stripe.send_events_to(settings.local_url, known)
        write_env_file(settings.folder.secrets, secrets)
        self._set_environment()

    def _start_app_and_worker(self) -> None:
        """Start both and wait for the app: each spends two seconds loading, so side by side."""
        app = self._spawn("app", [_program("proxycard"), "serve"])
        self._worker_log = LogFollower(self._log("worker").out)
        self._spawn("worker", [_program("proxycard"), "worker"])
        self._wait_for(app, self._is_ready)

    def _wait_for_worker(self) -> None:
        def has_started() -> bool:
            assert self._worker_log is not None
            return any(_WORKER_STARTED in line for line in self._worker_log.new_lines())

        self._wait_for(self._children[-1], has_started)

    def _load_demo_data(self) -> None:
        """Have the demo's people made; what they did until now may take longer, beside the rest."""
        words = [sys.executable, "-m", "local_stack.demo_data"]
        marker = self.settings.folder.demo_data_loaded
        if self.settings.demo_days:
            self._spawn("demo customers", words)
            self._stop_request.wait_for(self._loaded_or_dead, _DEMO_DATA_SECONDS)
            self.check_children()
        elif not marker.exists():
            self._run_to_end("demo data", words)
            marker.touch()

    def _loaded_or_dead(self) -> bool:
        marker = self.settings.folder.demo_data_loaded
        return marker.exists() or not self._children[-1].is_running()

    def _wait_until_ready(self) -> None:
        self._wait_for(self._children[-1], self._is_ready)
        self.check_children()

    def _is_ready(self) -> bool:
        address = urlsplit(self.settings.local_url)
        connection = HTTPConnection(address.hostname or "", address.port, timeout=_ANSWER_SECONDS)
        with closing(connection):
            try:
                connection.request("GET", "/health/ready")
                return connection.getresponse().status == HTTPStatus.OK
            except (OSError, HTTPException):
                return False

    def _spawn(self, name: str, words: Sequence[str | Path]) -> Child:
        child = spawn(Command(name, words), self._log(name), self._child_environment())
        self._children.append(child)
        return child

    def _child_environment(self) -> dict[str, str]:
        return os.environ | self.environment | {"PYTHONUNBUFFERED": "1"}

    def _log(self, name: str) -> Logs:
        log = self.settings.folder.logs / name.lower().replace(" ", "-")
        return Logs(out=log.with_suffix(".jsonl"), err=log.with_suffix(".log"))

    def _run_to_end(self, name: str, words: Sequence[str | Path]) -> None:
        """Run something that ends by itself; its own sentence is ours when it refuses."""
        child = self._spawn(name, words)
        if not self._stop_request.wait_for(lambda: not child.is_running(), _TASK_SECONDS):
            raise Failure(f"The {name} did not end in {_TASK_SECONDS:.0f} s.")
        self._children.remove(child)
        if child.process.returncode != 0:
            raise ended(child)

    def _wait_for(self, child: Child, is_up: Callable[[], bool]) -> None:
        def is_up_or_dead() -> bool:
            self.check_children()
            return is_up()

        if not self._stop_request.wait_for(is_up_or_dead, _READY_SECONDS):
            raise Failure(
                f"The {child.command.name} is not ready after {_READY_SECONDS:.0f} s. "
                f"{end_of_log(child)}"
            )


def _program(name: str) -> Path:
    """Return a command of the same environment, whose folder need not be on the PATH."""
    return Path(sys.executable).with_name(name)
