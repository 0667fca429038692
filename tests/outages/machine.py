"""A machine of the test's own: PostgreSQL, Stripe, app and worker, each a process to be stopped."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import httpx

from app import schema
from app.config import Settings, from_mapping
from app.domain.identity.audit import SYSTEM
from app.domain.identity.staff import add_staff
from app.domain.identity.states import Role
from app.parts import Parts, open_parts
from local_stack.offline_stripe import OfflineStripe
from local_stack.postgres import OWNER, Cluster
from local_stack.processes import Child, Command, Logs, spawn
from tests.back_office import PASSWORD, SAME_ORIGIN
from tests.crashes.processes import environment
from tests.local_stack.process_tree import descendants_of
from tests.product import AUTHORIZATION_SECRET, Product
from tests.serving import free_port, http_client
from tests.waiting import until

PROXYCARD = Path(sys.executable).with_name("proxycard")
KEY = "sk_test_machine"
OWNER_EMAIL = "owner@example.com"
STARTS_WITHIN_SECONDS = 60


class Machine:
    """The running processes by name, and the ways to stop them and to look at the home."""

    def __init__(self, folder: Path, cluster: Cluster, settings: Settings) -> None:
        self.folder = folder
        self.cluster = cluster
        self.settings = settings
        self.children: dict[str, Child] = {}

    def start(self, name: str, *words: str | Path) -> None:
        """Start a process in a folder of its own, where no `.env` of a developer's is."""
        if name in self.children:
            self.children[name].stop()
        log = Logs.in_one(self.folder / f"{name}.log")
        within = ("/bin/sh", "-c", 'cd "$0" && exec "$@"', self.folder, *words)
        self.children[name] = spawn(Command(name, within), log, environment(self.settings))

    def start_worker(self) -> None:
        self.start("worker", PROXYCARD, "worker")

    def start_database(self) -> None:
        self.children["database"] = self.cluster.start()

    def send(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a process and all that it started."""
        parent = self.children[name].process.pid
        for pid in (parent, *descendants_of(parent)):
            os.kill(pid, number)

    def stop(self) -> None:
        for name, child in reversed(self.children.items()):
            if child.is_running():
                self.send(name, signal.SIGCONT)
            child.stop()


@asynccontextmanager
async def running_machine(folder: Path) -> AsyncIterator[Machine]:
    """Start everything with an owner who may sign in, and end it after the block."""
    cluster = Cluster(folder / "postgres", folder / "postgres.log", ephemeral=True)
    port, stripe_port = free_port(), free_port()
    url = f"http://127.0.0.1:{port}"
    given = {
        "DATABASE_URL": cluster.url(),
        "DATABASE_OWNER_URL": cluster.url(OWNER),
        "STRIPE_SECRET_KEY": KEY,
        "STRIPE_API_BASE": f"http://127.0.0.1:{stripe_port}",
        "STRIPE_AUTHORIZATION_WEBHOOK_SECRET": AUTHORIZATION_SECRET,
        "STRIPE_EVENTS_WEBHOOK_SECRET": "whsec_not_known_yet",
        "SECRET_KEY": "a secret key of the tests, long enough",
        "APP_URL": url,
        "PORT": str(port),
        "REPAIR_WAIT_SECONDS": "1.5",
    }
    machine = Machine(folder, cluster, from_mapping(given))
    try:
        machine.start_database()
        await asyncio.to_thread(schema.upgrade, cluster.url(OWNER), cluster.url())
        sandbox = ("-m", "stripe_sandbox", "--port", str(stripe_port))
        machine.start("stripe", sys.executable, *sandbox)
        stripe = OfflineStripe(stripe_port, KEY)
        await until(stripe.is_healthy, seconds=STARTS_WITHIN_SECONDS)
        stripe.send_authorizations_to(url, AUTHORIZATION_SECRET)
        given["STRIPE_EVENTS_WEBHOOK_SECRET"] = stripe.send_events_to(url, None)
        machine.settings = from_mapping(given)
        machine.start("app", PROXYCARD, "serve")
        machine.start_worker()
        await _ready(machine, url)
        yield machine
    finally:
        machine.stop()
        cluster.forget()


@asynccontextmanager
async def used(machine: Machine) -> AsyncIterator[Product]:
    """Give the machine's product as other tests have it, with an owner of the back office."""
    settings = machine.settings
    headers = {"Authorization": f"Bearer {KEY}"}
    async with (
        open_parts(settings) as parts,
        http_client(settings.stripe_api_base, headers=headers, timeout=30) as stripe,
        http_client(settings.app_url, headers=SAME_ORIGIN, timeout=15) as web,
    ):
        await _add_owner(parts)
        app = SimpleNamespace(state=SimpleNamespace(parts=parts))
        yield Product(settings, stripe, web, app)


async def _add_owner(parts: Parts) -> None:
    async with parts.sessions.begin() as session:
        await add_staff(
            session, OWNER_EMAIL, "Olga Owner", PASSWORD, [Role.OWNER], actor=SYSTEM, demo=True
        )


async def _ready(machine: Machine, url: str) -> None:
    async with http_client(timeout=5) as client:

        async def answers() -> bool:
            for child in machine.children.values():
                assert child.is_running(), child.last_words(50)
            try:
                return (await client.get(f"{url}/health/ready")).status_code == 200
            except httpx.TransportError:
                return False

        await until(answers, seconds=STARTS_WITHIN_SECONDS, why="the product is ready")
