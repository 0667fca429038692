"""`proxycard worker`: the process that acts on events."""

import os
from pathlib import Path

import click

from app.config import load
from app.jobs.worker import run_worker
from app.logs import configure_logs


@click.command()
def worker() -> None:
    """Process events and repair what is uncertain, until SIGTERM or Ctrl-C."""
    configure_logs()
    run_worker(load(os.environ, Path.cwd()))
