"""Each part of the stack is killed in turn: it is started again, and all goes on."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from local_stack.data_folder import DataFolder
from local_stack.stop_request import StopRequest
from tests.local_stack.process_tree import children_of, descendants_of, words_of
from tests.local_stack.stack import answers, running_stack

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for children in /proc"),
]

PARTS = {
    "worker": "proxycard worker",
    "offline Stripe": "stripe_sandbox",
    "PostgreSQL": "/postgres -D",
    "app": "proxycard serve",
}
"""Each part's name, and what it is known by among the processes."""


def test_a_part_that_dies_is_started_again_and_all_goes_on(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with running_stack(data_dir) as stack:
        for name, word in PARTS.items():
            (part,) = [p for p in children_of(stack.process.pid) if word in " ".join(words_of(p))]
            os.kill(part, signal.SIGKILL)
            assert stack.next_line(f"The {name} ended (SIGKILL)")
            assert stack.next_line(f"The {name} has been started again.", 60)
        assert StopRequest().wait_for(lambda: answers(f"{stack.app_url}/health/ready"), 60)
        # Everything it needs is there again: the customers, the cards, and where Stripe asks.
        told = subprocess.run(
            [sys.executable, "-m", "local_stack", "demo"],
            env=os.environ | {"DATA_DIR": str(data_dir)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert told.returncode == 0, told.stdout + told.stderr
        parts = descendants_of(stack.process.pid)
        assert stack.stop() == 0
    assert not any(map(words_of, parts))
    DataFolder(data_dir).forget()
