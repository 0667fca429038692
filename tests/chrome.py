"""Finds a Chrome or Chromium for the browser tests: the machine's, Playwright's, or a package."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_NAMES = ("google-chrome", "google-chrome-stable", "chromium", "chromium-browser")
_MACOS = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
_START_SECONDS = 30
_DOWNLOAD_SECONDS = 180


def find_chrome() -> str | None:
    """Return the first browser that starts, installing one only when none is there."""
    return next((path for path in _candidates() if _starts(path)), None)


def _candidates() -> Iterator[str]:
    if os.environ.get("CHROME"):
        yield os.environ["CHROME"]
        return
    yield from filter(None, map(shutil.which, _NAMES))
    yield _MACOS
    yield from _from_playwright()
    yield from _from_package()


def _starts(path: str) -> bool:
    """Tell whether it is a browser that runs here, and not Ubuntu's stub for a snap."""
    if not Path(path).is_file() or "/snap/" in str(Path(path).resolve()):
        return False
    return _succeeds([path, "--version"], _START_SECONDS)


def _from_playwright() -> Iterator[str]:
    """Have Playwright download its own; where it may not, that fails at once."""
    if _succeeds([sys.executable, "-m", "playwright", "install", "chromium"], _DOWNLOAD_SECONDS):
        folder = os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or str(_playwright_cache())
        yield from map(str, sorted(Path(folder).glob("chromium-*/*/chrome"), reverse=True))
        yield from map(str, sorted(Path(folder).glob("chromium-*/*/*/*/MacOS/*"), reverse=True))


def _playwright_cache() -> Path:
    parent = "Library/Caches" if sys.platform == "darwin" else ".cache"
    return Path.home() / parent / "ms-playwright"


def _from_package() -> Iterator[str]:
    """Install the system's package, which takes root and Debian's or Ubuntu's tools."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    install = ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]
    if _succeeds(["apt-get", "update"], _DOWNLOAD_SECONDS) and _succeeds(install, 300):
        yield from filter(None, [shutil.which("chromium")])


def _succeeds(command: list[str], seconds: float) -> bool:
    try:
        done = subprocess.run(  # noqa: S603  spelled out above, but for the CHROME a person gave
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
            env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
