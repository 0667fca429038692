"""`make demo`: eight purchases told line by line, and then the question to Stripe."""

import asyncio
import os
import sys
import time
from pathlib import Path

import click
from sqlalchemy import select

from app.adapters.stripe_people import StripePeople
from app.config import load as load_settings
from app.domain.funding.sources import link
from app.domain.identity.audit import SYSTEM
from app.domain.identity.customers import enrol
from app.domain.identity.models import Customer
from app.domain.issuing.cards import CardControls, issue
from app.domain.issuing.models import AuthorizationRequest
from app.money import readable
from app.parts import Parts, open_parts
from local_stack.demo_people import VISA, person_of_the_demo
from local_stack.demo_story import Scene, Story
from local_stack.demo_verdict import Verdict, judge
from local_stack.merchant import Controls, Merchants

CERTAIN_WITHIN_SECONDS = 60


async def make_scene(parts: Parts) -> Scene:
    """Make a customer of the demo's own with a linked Visa and two virtual cards."""
    people = StripePeople(parts.stripe.other, parts.network)
    merchants = Merchants(parts.stripe.other)
    controls = Controls(parts.settings.stripe_api_base)
    customer = await enrol(
        parts.sessions, people, person_of_the_demo(f"{time.time_ns():x}"), SYSTEM
    )
    assert customer.stripe_customer_id is not None
    saved = await merchants.save_card(customer.stripe_customer_id, VISA)
    await link(parts.sessions, people, customer.id, saved, SYSTEM)
    network, sessions = parts.network, parts.sessions
    plain = await issue(sessions, network, customer.id, "Everyday", CardControls(), actor=SYSTEM)
    no_bars = CardControls(blocked_categories=["drinking_places"])
    strict = await issue(sessions, network, customer.id, "No bars", no_bars, actor=SYSTEM)
    return Scene(
        parts=parts,
        merchants=merchants,
        controls=controls,
        stripe_customer_id=customer.stripe_customer_id,
        payment_method=saved,
        card=plain.stripe_card_id,
        strict_card=strict.stripe_card_id,
    )


async def tell(parts: Parts) -> Verdict:
    """Play the eight purchases on a customer made for it, and give Stripe's own account of them."""
    scene = await make_scene(parts)
    story = Story(scene, click.echo)
    for number, (title, chapter) in enumerate(story.chapters(), start=1):
        click.echo(f"\n{click.style(f'{number}. {title}', bold=True)}")
        await chapter()
    await until_certain(scene)
    return await ask_stripe(scene)


async def ask_stripe(scene: Scene) -> Verdict:
    """List the demo's authorizations and PaymentIntents at Stripe, and judge them."""
    authorizations = [
        told
        for card in (scene.card, scene.strict_card)
        for told in await scene.merchants.listed("/v1/issuing/authorizations", card=card)
    ]
    authorizations.sort(key=lambda told: -told["created"])
    intents = await scene.merchants.listed(
        "/v1/payment_intents",
        customer=scene.stripe_customer_id,
        expand=["data.latest_charge"],
    )
    return judge(authorizations, intents)


async def until_certain(scene: Scene) -> None:
    """Wait until every request of the demo's customer is verified."""
    async with asyncio.timeout(CERTAIN_WITHIN_SECONDS):
        while True:
            async with scene.parts.sessions() as session:
                waiting = await session.scalar(
                    select(AuthorizationRequest.id)
                    .join(Customer, Customer.id == AuthorizationRequest.customer_id)
                    .where(
                        Customer.stripe_customer_id == scene.stripe_customer_id,
                        AuthorizationRequest.verified_at.is_(None),
                    )
                    .limit(1)
                )
            if waiting is None:
                return
            await asyncio.sleep(0.1)


def print_verdict(verdict: Verdict) -> None:
    """Print what Stripe lists, a line for each purchase, and whether it is as it should be."""
    click.echo(f"\n{click.style('What Stripe says (not our tables)', bold=True)}")
    click.echo(f"  {'merchant':<16}{'asked':>8}  {'state':<20}{'charges live':>13}  should be")
    for line in verdict.lines:
        mark = click.style("ok", fg="green") if line.right else click.style("WRONG", fg="red")
        click.echo(
            f"  {line.merchant[:15]:<16}{readable(line.amount_minor):>8}  {line.status:<20}"
            f"{line.live:>13}  {line.expected:>9}  {mark}"
        )
    for stray in verdict.strays:
        click.echo(f"  a live charge belongs to none of them: {stray}")
    if verdict.true:
        click.echo(
            "\nTrue: one live charge for each approved request, and no other charge is live."
        )
    else:
        click.echo("\nNOT true: the lines marked WRONG differ.", err=True)


async def run() -> int:
    """Tell the demo on the product that the environment names; give the exit code."""
    began = time.monotonic()
    async with open_parts(load_settings(os.environ, Path.cwd())) as parts:
        if not parts.settings.simulated:
            click.echo("The demo plays with the offline Stripe: leave STRIPE_* unset.", err=True)
            return 2
        verdict = await tell(parts)
    print_verdict(verdict)
    click.echo(f"{time.monotonic() - began:.0f} s")
    return 0 if verdict.true else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(run()))
