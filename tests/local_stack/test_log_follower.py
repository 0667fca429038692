"""The terminal shows what is new in a log, each line once and whole."""

from pathlib import Path

from local_stack.log_follower import LogFollower


def test_only_whole_new_lines_are_given(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    path.write_bytes(b"before\n")
    follower = LogFollower(path)
    assert list(follower.new_lines()) == []

    with path.open("ab") as log:
        log.write(b"one\ntw")
    assert list(follower.new_lines()) == [b"one\n"]
    assert list(follower.new_lines()) == []

    with path.open("ab") as log:
        log.write(b"o\n")
    assert list(follower.new_lines()) == [b"two\n"]


def test_a_log_that_does_not_exist_yet_is_read_from_its_start(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl"
    follower = LogFollower(path)
    assert list(follower.new_lines()) == []
    path.write_bytes(b"first\n")
    assert list(follower.new_lines()) == [b"first\n"]
