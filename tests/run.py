"""Runs the tests as `make test` does: with a browser, and with one line at the end that sums up."""

import os
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.chrome import find_chrome

_BROWSER_TESTS = "tests/browser"
# Two more than there are cores: half of the time a test waits for something to happen.
ON_EVERY_CORE = ("-n", str((os.cpu_count() or 1) + 2), "--dist", "worksteal")
SHORT = ("-m", "not long")


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
    code = int(pytest.main([*ON_EVERY_CORE, *SHORT, *arguments], plugins=[tally]))
    # Without a browser a person still learns most; what judges every change must not go without.
    if chrome is None and os.environ.get("CI"):
        code = code or int(pytest.ExitCode.TESTS_FAILED)
    print(_summary(tally, code, chrome, time.monotonic() - began))  # noqa: T201  what it is for
    return code


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
