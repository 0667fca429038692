"""The whole stack, started as a person starts it: up, stopped, up again, and killed."""

import stat
import sys
from pathlib import Path

import pytest

from local_stack.data_folder import DataFolder
from local_stack.stop_request import StopRequest
from tests.local_stack.process_tree import descendants_of, words_of
from tests.local_stack.stack import answers, running_stack

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for children in /proc")


def test_it_starts_keeps_its_data_and_ends_as_a_whole(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with running_stack(data_dir) as stack:
        assert answers(f"{stack.app_url}/health/ready")
        assert answers(f"{stack.sandbox_url}/_sandbox/health")
        assert stat.S_IMODE((data_dir / "stack.env").stat().st_mode) == 0o600
        first = stack.environment
        parts = descendants_of(stack.process.pid)
        assert stack.stop() == 0
        assert stack.next_line("The data is kept in").endswith(str(data_dir))
    assert not any(map(words_of, parts))

    ports = {name: first[name] for name in ("PORT", "SANDBOX_PORT")}
    with running_stack(data_dir, **ports) as stack:
        assert stack.environment == first
        assert stack.stop() == 0
    DataFolder(data_dir).forget()


def test_a_killed_supervisor_takes_its_children_with_it(tmp_path: Path) -> None:
    with running_stack(tmp_path / "data") as stack:
        parts = descendants_of(stack.process.pid)
        stack.process.kill()
        assert StopRequest().wait_for(lambda: not any(map(words_of, parts)), 30)
    DataFolder(tmp_path / "data").forget()
