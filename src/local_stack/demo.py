"""`make demo`: eight purchases told line by line, then the question to Stripe, then the books."""

import asyncio
import logging
import os
import signal
import sys
import time
from pathlib import Path

import aiohttp
import click
import stripe
import structlog

from app.config import ConfigError, Settings
from app.config import load as load_settings
from app.money import readable
from app.parts import Parts, open_parts
from local_stack.demo_books import close_books
from local_stack.demo_scene import Scene, make_scene
from local_stack.demo_story import Story
from local_stack.demo_verdict import Line, Verdict
from local_stack.refusal import FAILED, REFUSED, Failure, Refusal

INTERRUPTED = 130  # as a shell says it of a command that Ctrl-C ended
HEADINGS = ("merchant", "asked", "answer", "now", "live", "due")
ROW = "   {:<14} {:>7}  {:<9} {:<9} {:>12} {:>5}  {}"


async def tell(parts: Parts) -> int:
    """Play the eight purchases on a customer made for it, ask Stripe, close the books of the first.

    Gives the exit code. Faults and delays that somebody has set at the offline Stripe wait until
    the demo is over.
    """
    scene = await make_scene(parts)
    async with scene.controls.undisturbed():
        linked = await scene.linked_card(scene.payment_method)
        click.echo(f"\n{scene.customer.name} has linked {linked} and opened two virtual cards:")
        click.echo(
            f"{scene.everyday.last4} for everything, {scene.no_bars.last4} for all but bars."
        )
        story = Story(scene, _say)
        for number, (title, chapter) in enumerate(story.chapters(), start=1):
            click.echo(f"\n{click.style(f'{number}. {title}', bold=True)}")
            await chapter()
        code = await conclude(scene)
        title = "From the first purchase to closed books"
        click.echo(f"\n{click.style(title, bold=True)}")
        closed = await close_books(scene, story.first, _say)
        return code if closed else FAILED


async def conclude(scene: Scene) -> int:
    """Print what Stripe lists once all is certain, and the verdict; give the exit code."""
    await scene.until_certain()
    verdict = await scene.verdict()
    title = "What Stripe lists now, asked at the end: not our tables"
    click.echo(f"\n{click.style(title, bold=True)}")
    click.echo(ROW.format(*HEADINGS, "").rstrip())
    for line in verdict.lines:
        click.echo(_row(line))
    for stray in verdict.strays:
        click.echo(f"   {stray} is live and belongs to none of these")
    click.echo(f"\n{_in_words(verdict)}")
    return 0 if verdict.true else FAILED


def _say(who: str, what: str) -> None:
    click.echo(f"   {click.style(f'{who:<9}', dim=True)} {what}")


def _row(line: Line) -> str:
    live = " + ".join(readable(amount) for amount in line.live_minor) or "none"
    mark = click.style("ok", fg="green") if line.right else click.style("WRONG", fg="red")
    return ROW.format(
        line.merchant[:14],
        readable(line.amount_minor),
        "approved" if line.approved else "declined",
        line.status,
        live,
        "one" if line.expected else "none",
        mark,
    )


def _in_words(verdict: Verdict) -> str:
    if verdict.true:
        word = click.style("True", fg="green", bold=True)
        return f"{word}: one live charge for each approved purchase that stands, and no other."
    wrong = sum(not line.right for line in verdict.lines)
    word = click.style("Not true", fg="red", bold=True)
    return f"{word}: {wrong} lines marked WRONG, {len(verdict.strays)} live charges of no purchase."


async def run(settings: Settings) -> int:
    """Tell the demo on the product that the settings name. Raise Refusal where money is real."""
    task = asyncio.current_task()
    assert task is not None
    # As Ctrl-C does: what was put aside is put back first.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    if not settings.simulated:
        raise Refusal("The demo wants the offline Stripe: leave the STRIPE_… settings unset.")
    began = time.monotonic()
    async with open_parts(settings) as parts:
        code = await tell(parts)
    click.echo(f"Told in {time.monotonic() - began:.0f} s.")
    return code


def main() -> int:
    """Run the demo on what the environment names; what went wrong is told in one line."""
    # What is done is told below; the product's own log of it would stand between the lines.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        return asyncio.run(run(load_settings(os.environ, Path.cwd())))
    except (ConfigError, Refusal) as refusal:
        click.echo(str(refusal), err=True)
        return REFUSED
    except Failure as failure:
        click.echo(str(failure), err=True)
    except (aiohttp.ClientError, stripe.StripeError) as error:
        click.echo(f"The stack did not answer the demo: {type(error).__name__}.", err=True)
    except (KeyboardInterrupt, asyncio.CancelledError):
        return INTERRUPTED
    return FAILED


if __name__ == "__main__":
    sys.exit(main())
