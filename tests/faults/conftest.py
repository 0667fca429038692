"""Faults write many tracebacks: these are named in one line, as in production."""

import pytest

from app.logs import configure_logs


@pytest.fixture(autouse=True, scope="session")
def logs_as_in_production() -> None:
    configure_logs()
