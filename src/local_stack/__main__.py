"""The commands behind `make run`, `make demo` and `make run-fresh`."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import click

from local_stack.refusal import FAILED, REFUSED, Failure, Refusal
from local_stack.run import run, run_demo, stop
from local_stack.settings import StackSettings, read_settings


@click.group()
def main() -> None:
    """Run the whole product on this machine."""


@main.command("run")
def run_command() -> None:
    """Start everything and keep it running until Ctrl-C."""
    _finish(run)


@main.command("demo")
def demo_command() -> None:
    """Tell the demo on the running stack, or on one of its own that goes afterwards."""
    _finish(run_demo)


@main.command("stop")
def stop_command() -> None:
    """End the stack that another terminal runs."""
    _finish(stop)


@main.command("forget")
def forget_command() -> None:
    """Delete the data folder with everything in it."""
    _finish(lambda settings: settings.folder.forget())


def _finish(command: Callable[[StackSettings], int | None]) -> None:
    """Run a command and end with its exit code; what went wrong is told without a traceback."""
    try:
        sys.exit(command(read_settings(os.environ, Path(".env"))))
    except Refusal as refusal:
        click.echo(str(refusal), err=True)
        sys.exit(REFUSED)
    except Failure as failure:
        click.echo(str(failure), err=True)
        sys.exit(FAILED)


if __name__ == "__main__":
    main()
