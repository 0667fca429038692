"""Forgetting deletes what the stack made, and nothing else."""

import stat
from pathlib import Path

import pytest

from local_stack.data_folder import DataFolder
from local_stack.env_files import read_env_file, write_env_file
from local_stack.refusal import Refusal
from local_stack.settings import generated_secrets


def test_a_folder_is_claimed_by_one_process_and_free_again_afterwards(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    with folder.claimed():
        assert folder.claimed_by() is not None
        with pytest.raises(Refusal, match="Another `make run`"), folder.claimed():
            pass
    assert folder.claimed_by() is None
    with folder.claimed():
        pass


def test_forgetting_deletes_the_folder(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    with folder.claimed():
        folder.demo_data_loaded.touch()
    folder.forget()
    assert not folder.path.exists()
    folder.forget()  # a second time there is nothing to do


def test_forgetting_leaves_a_folder_that_is_in_use_or_not_ours(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    with folder.claimed(), pytest.raises(Refusal, match="Another `make run`"):
        folder.forget()
    (tmp_path / "thesis.txt").write_text("ten years of work")
    with pytest.raises(Refusal, match="not made by `make run`"):
        DataFolder(tmp_path).forget()


def test_secrets_are_made_once_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)
    first = generated_secrets(folder)
    assert generated_secrets(folder) == first
    assert stat.S_IMODE(folder.secrets.stat().st_mode) == 0o600
    assert len(set(first.values())) == len(first)


def test_a_settings_file_is_read_as_people_write_it(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(
        '# comment\n\nexport PORT=9000\nHOST = "0.0.0.0"\nSECRET_KEY=\nAPP_URL=https://a/?b=c\n'
    )
    assert read_env_file(path) == {
        "PORT": "9000",
        "HOST": "0.0.0.0",  # noqa: S104  read, not bound
        "APP_URL": "https://a/?b=c",
    }


def test_a_written_file_reads_the_same_and_a_line_break_is_refused(tmp_path: Path) -> None:
    values = {"A": "postgresql://a@/b?host=/c d&port=5432", "B": "x=y"}
    write_env_file(tmp_path / "stack.env", values)
    assert read_env_file(tmp_path / "stack.env") == values
    with pytest.raises(Refusal, match="wants one line"):
        write_env_file(tmp_path / "stack.env", {"A": "b\nc"})
