"""The job that tells Stripe what our cards and cardholders have become."""

from uuid import UUID

import msgspec
from pgqueuer.core.applications import PgQueuer
from pgqueuer.domain.models import Job

from app.domain.issuing.mirroring import TELL_STRIPE, Mirror
from app.parts import Parts


class WaitingOrder(msgspec.Struct, frozen=True):
    order: UUID


def add_stripe_jobs(queue: PgQueuer, parts: Parts) -> None:
    """Name the job. An order that fails keeps its own count, and the sweep queues it again."""
    mirror = Mirror(parts.sessions, parts.network)

    @queue.entrypoint(TELL_STRIPE, on_failure="hold")
    async def tell(job: Job) -> None:
        assert job.payload is not None
        await mirror.send(msgspec.json.decode(job.payload, type=WaitingOrder).order)
