"""An open home tells of a part that does not answer, and stops telling when it answers again."""

import os
import signal
import sys
from pathlib import Path

import pytest
from playwright.async_api import async_playwright, expect

from tests.browser.test_sandbox_pages import FLAGS
from tests.outages.machine import running_machine, used

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="looks for children in /proc"),
    pytest.mark.hurried,
]

SAYS_SO_WITHIN_MS = 10_000
GOES_ON_WITHIN_MS = 40_000


async def test_an_open_home_tells_of_what_is_silent(tmp_path: Path) -> None:
    async with running_machine(tmp_path) as machine, used(machine), async_playwright() as started:
        browser = await started.chromium.launch(
            executable_path=os.environ["CHROME"], args=list(FLAGS)
        )
        page = await browser.new_page(base_url=machine.settings.app_url)
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto("/admin/")
        await page.get_by_role("button", name="Olga Owner").click()
        well = page.get_by_text("Database, Stripe and worker answer.")
        await expect(well).to_be_visible(timeout=GOES_ON_WITHIN_MS)

        machine.send("stripe", signal.SIGSTOP)
        told = page.get_by_role("heading", name="Stripe does not answer since")
        await expect(told).to_be_visible(timeout=SAYS_SO_WITHIN_MS)
        machine.send("stripe", signal.SIGCONT)
        await expect(well).to_be_visible(timeout=GOES_ON_WITHIN_MS)

        machine.cluster.stop()
        told = page.get_by_role("heading", name="The database does not answer")
        await expect(told).to_be_visible(timeout=SAYS_SO_WITHIN_MS)
        await page.reload()
        await expect(told).to_be_visible()
        await expect(page.get_by_role("heading", name="Profit", exact=True, level=1)).to_have_count(
            0
        )
        machine.start_database()
        await expect(well).to_be_visible(timeout=GOES_ON_WITHIN_MS)

        machine.send("app", signal.SIGSTOP)
        told = page.get_by_role("heading", name="Proxycard does not answer")
        await expect(told).to_be_visible(timeout=SAYS_SO_WITHIN_MS)
        machine.send("app", signal.SIGCONT)
        await expect(well).to_be_visible(timeout=GOES_ON_WITHIN_MS)
        await browser.close()
        assert complaints == []
