"""The script that stands in for Stripe.js, and the documents of its frames."""

import pytest

from tests.sandbox.serving import Running
from tests.sandbox.test_stripe_js import HOME

FRAMES = ("challenge", "controller", "copy", "display", "payment")


async def test_the_script_is_small_and_evaluates_nothing(sandbox: Running) -> None:
    answer = await sandbox.control.get("/_sandbox/stripe.js")

    assert answer.headers["content-type"].startswith("text/javascript")
    assert len(answer.content) < 30_000
    assert "window.Stripe = Stripe" in answer.text
    assert "eval(" not in answer.text
    assert "Function(" not in answer.text
    assert "innerHTML" not in answer.text


@pytest.mark.parametrize("frame", FRAMES)
async def test_a_frame_may_be_held_by_any_page_and_reaches_only_the_sandbox(
    sandbox: Running, frame: str
) -> None:
    answer = await sandbox.control.get(f"{HOME}/frames/{frame}")
    script = await sandbox.control.get(f"{HOME}/static/{frame}.js")

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert "frame-ancestors http: https:" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert "<script>" not in answer.text
    assert script.status_code == 200
    assert "eval(" not in script.text


@pytest.mark.parametrize("path", ["frames/none", "static/none.js", "static/payment.html"])
async def test_what_is_no_frame_is_not_found(sandbox: Running, path: str) -> None:
    assert (await sandbox.control.get(f"{HOME}/{path}")).status_code == 404
