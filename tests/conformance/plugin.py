"""Fails a test in which the sandbox answered, was asked, or sent, what Stripe's schema forbids.

A conftest takes part with `from tests.conformance.plugin import conformance, conforms`, and starts
its sandbox with `create_sandbox(record=conformance)`.
"""

from collections.abc import Iterator

import pytest

from tests.conformance.recorder import Recorder


@pytest.fixture(scope="session")
def conformance() -> Recorder:
    """One recorder for the session, whatever the number of sandboxes."""
    return Recorder()


@pytest.fixture(autouse=True)
def conforms(conformance: Recorder) -> Iterator[None]:
    """Blame problems on the test during which they came up, or on the next if none was running."""
    yield
    problems = conformance.take()
    if problems:
        pytest.fail("Not as Stripe publishes it:\n" + "\n".join(problems), pytrace=False)
