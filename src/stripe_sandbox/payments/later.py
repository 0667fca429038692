"""What Stripe does moments after it has answered: fees, references of refunds, late failures."""

import asyncio
import contextvars
from collections.abc import Callable
from typing import Any

from stripe_sandbox.world import World

KIND = "sandbox.due"
DELAY_SECONDS = 0.25

Work = Callable[[World, dict[str, Any]], None]


def soon(world: World, work: Work, subject: dict[str, Any]) -> None:
    """Have something done to an object shortly, or when the clock is next moved.

    The intention is kept, so that it survives a restart; `finish` then finds the work by its name.
    """
    due_id = f"{work.__name__}:{subject['id']}"
    world.add(
        {
            "id": due_id,
            "object": KIND,
            "work": work.__name__,
            "kind": subject["object"],
            "subject": subject["id"],
        }
    )
    # In an empty context, because no request is the cause of the event that follows.
    asyncio.get_running_loop().call_later(
        DELAY_SECONDS, _do, world, due_id, work, context=contextvars.Context()
    )


def finish(world: World, works: tuple[Work, ...]) -> None:
    """Do at once all of these that were left for later."""
    by_name = {work.__name__: work for work in works}
    for due in list(world.find(KIND)):
        _do(world, due["id"], by_name[due["work"]])


def _do(world: World, due_id: str, work: Work) -> None:
    due = world.store.get(KIND, due_id)
    if due is None:
        return
    world.store.remove(KIND, due_id)
    subject = world.store.get(due["kind"], due["subject"])
    if subject is not None:
        work(world, subject)
