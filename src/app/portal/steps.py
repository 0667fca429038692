"""The steps from sign-up to the first card, as every page on the way shows them."""

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.funding.sources import active_sources
from app.domain.identity.onboarding import Progress, progress
from app.domain.issuing.own_cards import has_cards
from app.portal.visits import Visit


class Step(msgspec.Struct, frozen=True):
    """A step, whether it is done, and whether it is the one that is being done."""

    key: str
    title: str
    done: bool
    current: bool = False


async def steps_of(session: AsyncSession, far: Progress) -> list[Step]:
    """Give the steps of a person who has come so far."""
    linked = carded = False
    if far.customer is not None:
        linked = bool(await active_sources(session, far.customer.id))
        carded = await has_cards(session, far.customer.id)
    return [
        Step("identity", "Who you are", bool(far.answers) or far.enrolled),
        Step("terms", "Terms and fees", far.enrolled),
        Step("link", "Link your card", linked),
        Step("card", "First card", carded),
    ]


def next_of(steps: list[Step]) -> str:
    """Give the key of the first step that is not done; `done` when all are."""
    return next((one.key for one in steps if not one.done), "done")


def at(steps: list[Step], key: str) -> list[Step]:
    """Mark the step that is being done."""
    return [msgspec.structs.replace(one, current=one.key == key) for one in steps]


async def steps_ahead(visit: Visit) -> list[Step]:
    """Give the steps of a person whose first card is still to come; none to anybody else."""
    if visit.person is None:
        return []
    async with visit.parts.sessions() as session:
        far = await progress(session, visit.person.credential_id)
        steps = await steps_of(session, far)
    key = next_of(steps)
    return [] if key == "done" else at(steps, key)
