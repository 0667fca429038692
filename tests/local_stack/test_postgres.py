"""The cluster comes up from any state that an earlier run can have left it in."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_stack.postgres import APPLICATION, DATABASE, OWNER, Cluster, running
from local_stack.refusal import Refusal
from local_stack.stop_request import StopRequest


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = _cluster_in(tmp_path)
    yield made
    made.stop()
    made.forget()


def _cluster_in(folder: Path) -> Cluster:
    return Cluster(folder / "postgres", folder / "postgres.log", ephemeral=True)


def test_data_outlives_a_stop_and_forgetting_ends_it(cluster: Cluster) -> None:
    with running(cluster):
        cluster.psql("CREATE TABLE kept AS SELECT 1 AS n", DATABASE)
    with running(cluster):
        assert cluster.psql("SELECT n FROM kept", DATABASE) == "1"
    cluster.forget()
    with running(Cluster(cluster.folder, cluster.log, ephemeral=True)) as fresh:
        assert fresh.psql("SELECT to_regclass('kept') IS NULL", DATABASE) == "t"


def test_the_application_reads_and_writes_but_cannot_change_the_schema(cluster: Cluster) -> None:
    with running(cluster):
        assert (
            cluster.psql(
                f"SELECT has_schema_privilege('{APPLICATION}', 'public', 'create')", DATABASE
            )
            == "f"
        )
        assert (
            cluster.psql(f"SELECT has_schema_privilege('{OWNER}', 'public', 'create')", DATABASE)
            == "t"
        )
        assert cluster.psql("SELECT rolname FROM pg_roles WHERE rolsuper") == "postgres"


def test_nothing_listens_on_a_port(cluster: Cluster) -> None:
    with running(cluster):
        assert cluster.psql("SHOW listen_addresses") == ""
        assert cluster.url().startswith(f"postgresql://{APPLICATION}@/{DATABASE}?host=")


def test_a_killed_server_is_started_again_with_what_was_committed(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path / "postgres", tmp_path / "postgres.log")
    try:
        server = cluster.start()
        cluster.psql("CREATE TABLE kept AS SELECT 1 AS n", DATABASE)
        server.process.kill()
        server.process.wait()
        cluster.start()
        assert cluster.psql("SELECT n FROM kept", DATABASE) == "1"
    finally:
        cluster.stop()
        cluster.forget()


def test_a_server_left_behind_is_stopped_before_another_starts(
    cluster: Cluster, tmp_path: Path
) -> None:
    left_behind = cluster.start()
    successor = _cluster_in(tmp_path)
    with running(successor):
        assert successor.psql("SELECT 1") == "1"
        assert not left_behind.is_running()


def test_a_lock_file_that_names_somebody_else_is_cleared(cluster: Cluster) -> None:
    """After a crash in a container the process id in it is soon in use again."""
    with running(cluster):
        lock = (cluster.data / "postmaster.pid").read_text()
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        lines = [str(bystander.pid), *lock.splitlines()[1:]]
        (cluster.data / "postmaster.pid").write_text("\n".join(lines) + "\n")
        with running(cluster):
            assert cluster.psql("SELECT 1") == "1"
        assert bystander.poll() is None
    finally:
        bystander.communicate()


def test_an_interrupted_first_start_leaves_nothing_half_made(cluster: Cluster) -> None:
    unfinished = cluster.data.with_name("unfinished")
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    with running(cluster):
        assert cluster.psql("SELECT 1") == "1"


def test_data_of_another_version_is_refused(cluster: Cluster) -> None:
    with running(cluster):
        pass
    (cluster.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(Refusal, match="was made by PostgreSQL 9"):
        cluster.start()


def test_a_long_path_gets_a_short_socket(tmp_path: Path) -> None:
    long = tmp_path / ("folder with a long name " * 5)
    long.mkdir()
    cluster = _cluster_in(long)
    with running(cluster):
        assert cluster.psql("SELECT 1") == "1"
    cluster.forget()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to step down")
def test_root_without_user_namespaces_runs_it_as_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local_stack.postgres_programs.shutil.which", lambda _name: None)
    cluster = _cluster_in(tmp_path)
    with running(cluster):
        assert cluster.psql("SELECT 1") == "1"
        assert cluster.data.owner() == "nobody"
    cluster.forget()
    assert not cluster.data.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start ends it")
def test_the_server_ends_with_whoever_started_it(cluster: Cluster) -> None:
    program = (
        "import sys; from pathlib import Path; from local_stack.postgres import Cluster;"
        "Cluster(Path(sys.argv[1]), Path(sys.argv[2])).start(); print('up', flush=True);"
        "sys.stdin.read()"
    )
    words: list[str | Path] = [sys.executable, "-c", program, cluster.folder, cluster.log]
    with subprocess.Popen(  # noqa: S603
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "up\n"
        assert (cluster.data / "postmaster.pid").exists()
        starter.kill()
    gone = StopRequest().wait_for(lambda: not (cluster.data / "postmaster.pid").exists(), 10)
    assert gone
