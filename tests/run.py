"""Runs the tests as `make test` does: with a browser, and with one line at the end that sums up."""

import os
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.chrome import find_chrome

_BROWSER_TESTS = "tests/browser"
_NO_TESTS = int(pytest.ExitCode.NO_TESTS_COLLECTED)
_CORES = os.cpu_count() or 1
# One more than there are cores: half of the time a test waits for something to happen.
_BUSY = ("-n", str(_CORES + 1), "--dist", "worksteal", "-m", "not long and not hurried")
QUIETLY = ("-n", str(_CORES), "--dist", "worksteal")
"""As many at once as keep the time that Stripe gives a decision."""
_HURRIED = (*QUIETLY, "-m", "hurried and not long")


class Tally:
    """Counts how tests ended, those in the browser apart."""

    def __init__(self) -> None:
        self.ended: Counter[str] = Counter()
        self.in_browser = 0
        self._failed: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and report.nodeid not in self._failed:
            self._failed.add(report.nodeid)
            self.ended["failed"] += 1
        elif report.skipped:
            self.ended["skipped"] += 1
        elif report.when == "call" and report.passed:
            self.ended["passed"] += 1
            self.in_browser += report.nodeid.startswith(_BROWSER_TESTS)


def main(arguments: list[str]) -> int:
    began = time.monotonic()
    chrome = find_chrome() if Path(_BROWSER_TESTS).exists() else None
    if chrome:
        os.environ["CHROME"] = chrome
    else:
        arguments = [*arguments, f"--ignore={_BROWSER_TESTS}"]
    tally = Tally()
    code = _both(arguments, tally)
    # Without a browser a person still learns most; what judges every change must not go without.
    if chrome is None and os.environ.get("CI"):
        code = code or int(pytest.ExitCode.TESTS_FAILED)
    print(_summary(tally, code, chrome, time.monotonic() - began))  # noqa: T201  what it is for
    return code


def _both(arguments: list[str], tally: Tally) -> int:
    """Run what may be late, then what may not; give pytest's exit code of the worse."""
    busy = int(pytest.main([*_BUSY, *arguments], plugins=[tally]))
    if busy == int(pytest.ExitCode.INTERRUPTED):
        return busy
    codes = {busy, int(pytest.main([*_HURRIED, *arguments], plugins=[tally]))}
    # One of the two has nothing to run where only some tests were asked for.
    return max(codes - {_NO_TESTS} or codes)


def _summary(tally: Tally, code: int, chrome: str | None, seconds: float) -> str:
    browser = f"{tally.in_browser} in the browser"
    if chrome is None:
        browser += ": no Chrome or Chromium was found, set CHROME to one"
    tests = f"{tally.ended['passed']} tests ({browser})"
    others = [f"{tally.ended[end]} {end}" for end in ("failed", "skipped") if tally.ended[end]]
    verdict = "passed" if code == 0 else "failed"
    if code != 0:
        tests = f"{tests} passed"
    return f"{verdict}: {', '.join([tests, *others])} in {seconds:.0f} s"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
