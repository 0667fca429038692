"""What staff do about work that stopped: events, jobs, letters, orders to Stripe."""

from typing import Any

from sqlalchemy import func, update
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from app.admin.pages.actions.act import Act, Done, Scene, Told, seen_in
from app.admin.permissions import RESEND, RUN_AGAIN
from app.admin.views.queue_tables import Job, JobStatus
from app.admin.wording import NOTHING, masked_email, moment, words
from app.domain.identity.audit import Subject, record
from app.domain.identity.reasons import Reason
from app.domain.issuing.mirror_models import MirrorOrder
from app.domain.issuing.mirroring import send_again as send_order_again
from app.domain.mailing.models import Mail, MailState
from app.domain.mailing.outbox import send_again
from app.domain.marks import check_mark, mark
from app.domain.states import IllegalMove
from app.queue import queue_again
from app.regular_job import RegularJob
from app.webhooks.inbox import run_again
from app.webhooks.models import EventState, InboundEvent

REASONS = ("incident_over", "our_mistake", "customer_asked", "other")


class RunEventAgain(Act):
    slug, title, view, action = "run-event-again", "Process it again", "events", RUN_AGAIN
    done = "The event waits to be processed again."
    reasons = REASONS

    def offered(self, row: Any) -> bool:
        return row.state is EventState.FAILED

    async def look(self, scene: Scene) -> Told:
        event: InboundEvent = await scene.found(InboundEvent)
        failed = event.state is EventState.FAILED
        return Told(
            what=event.type,
            onward=f"/admin/events/details/{event.id}",
            facts=(
                ("State", words(event.state)),
                ("Attempts", str(event.attempts)),
                ("Why it failed", event.failure or NOTHING),
                ("Received", moment(event.created_at, scene.zone)),
            ),
            effects=(
                "The event goes back to be processed, with all its attempts before it.",
                "Processing it twice does no harm: what is done follows from what Stripe has.",
            ),
            seen=mark(event),
            refused="" if failed else f"The event is {words(event.state)}.",
        )

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:
        event: InboundEvent = await scene.found(InboundEvent)
        check_mark(seen_in(form), event)
        before = {"state": event.state.value, "attempts": event.attempts}
        await run_again(scene.session, event.stripe_event_id)
        record(
            scene.session,
            scene.actor,
            "event.run_again",
            subject=event,
            before=before,
            after={"state": event.state.value},
            reason_code=why.code,
            reason=why.note,
        )
        return Done(f"/admin/events/details/{event.id}")


class RunJobAgain(Act):
    slug, title, view, action = "run-job-again", "Run it again", "jobs", RUN_AGAIN
    done = "The job waits to be run again."
    reasons = REASONS

    def offered(self, row: Any) -> bool:
        return row.status is JobStatus.FAILED

    async def look(self, scene: Scene) -> Told:
        job = await _job(scene)
        held = job.status is JobStatus.FAILED
        return Told(
            what=f"{words(job.entrypoint)} {job.id}",
            onward=f"/admin/jobs/details/{job.id}",
            facts=(
                ("Status", words(job.status)),
                ("About", job.about or NOTHING),
                ("Attempts", str(job.attempts)),
                ("Queued", moment(job.created, scene.zone)),
            ),
            effects=(
                "A worker takes the job again, with all its attempts before it.",
                "Every job can run twice without harm.",
            ),
            seen=job.status.value,
            refused="" if held else f"The job is {words(job.status)}, not held.",
        )

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:  # noqa: ARG002
        job = await _job(scene)
        if not await queue_again(scene.session, job.id):
            raise IllegalMove("The job is not held any more, or the same waits already.")
        record(
            scene.session,
            scene.actor,
            "job.run_again",
            subject=Subject("job", str(job.id)),
            before={"status": job.status.value},
            after={"status": JobStatus.QUEUED.value},
            reason_code=why.code,
            reason=why.note,
        )
        return Done(f"/admin/jobs/details/{job.id}")


class RunRegularJob(Act):
    """`key`: the job's name."""

    slug, title, view, action = "run-regular-job", "Run it now", "jobs", RUN_AGAIN
    on = ("regular-jobs",)
    done = "A worker begins it within a second."
    reasons = ("incident_over", "policy", "other")

    async def look(self, scene: Scene) -> Told:
        job = await _regular(scene)
        return Told(
            what=words(job.name).capitalize(),
            onward=f"/admin/regular-jobs/details/{job.name}",
            facts=(
                ("Next by itself", moment(job.next_at, scene.zone)),
                ("Began last", moment(job.began_at, scene.zone)),
                ("What came of it", job.outcome or NOTHING),
            ),
            effects=("It runs now, and then again at its time. Running it twice does no harm.",),
            seen=f"{job.next_at}",
        )

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:  # noqa: ARG002
        job = await _regular(scene)
        await scene.session.execute(
            update(RegularJob).where(RegularJob.name == job.name).values(next_at=func.now())
        )
        record(
            scene.session,
            scene.actor,
            "job.run_now",
            subject=Subject("regular_job", job.name),
            reason_code=why.code,
            reason=why.note,
        )
        return Done(f"/admin/regular-jobs/details/{job.name}")


class ResendMail(Act):
    slug, title, view, action = "resend-mail", "Send it again", "mails", RESEND
    done = "The letter waits to be sent again."
    reasons = ("customer_asked", "incident_over", "other")

    def offered(self, row: Any) -> bool:
        return row.state is MailState.FAILED

    async def look(self, scene: Scene) -> Told:
        mail: Mail = await scene.found(Mail)
        failed = mail.state is MailState.FAILED
        return Told(
            what=mail.subject,
            onward=f"/admin/mails/details/{mail.id}",
            facts=(
                ("To", masked_email(mail.recipient)),
                ("State", words(mail.state)),
                ("Why no server took it", mail.failure or NOTHING),
                ("Written", moment(mail.created_at, scene.zone)),
            ),
            effects=(
                "The same letter is given to the mail server again, to the same address.",
                "A link in it may have expired: then the customer asks for a new one.",
            ),
            seen=mark(mail),
            refused="" if failed else f"The letter is {words(mail.state)}.",
        )

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:
        mail: Mail = await scene.found(Mail)
        check_mark(seen_in(form), mail)
        await send_again(scene.session, mail.id)
        record(
            scene.session,
            scene.actor,
            "mail.send_again",
            subject=mail,
            reason_code=why.code,
            reason=why.note,
        )
        return Done(f"/admin/mails/details/{mail.id}")


class ResendOrder(Act):
    slug, title, view, action = "resend-order", "Tell Stripe again", "orders", RUN_AGAIN
    done = "Stripe is told again in a moment."
    reasons = ("incident_over", "other")

    def offered(self, row: Any) -> bool:
        return row.sent_at is None

    async def look(self, scene: Scene) -> Told:
        order: MirrorOrder = await scene.found(MirrorOrder)
        return Told(
            what=f"Order to Stripe about a {words(order.kind)}",
            onward=f"/admin/orders/details/{order.id}",
            facts=(
                ("Attempts", str(order.attempts)),
                ("Why it failed", order.failure or NOTHING),
                ("Recorded", moment(order.created_at, scene.zone)),
                ("Tried next", moment(order.next_at, scene.zone)),
            ),
            effects=("What is wanted last of the same card or cardholder is told to Stripe now.",),
            seen=mark(order),
            refused="Stripe has this order already." if order.sent_at else "",
        )

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:  # noqa: ARG002
        order = await send_order_again(scene.session, scene.id)
        record(
            scene.session,
            scene.actor,
            "order.send_again",
            subject=order,
            reason_code=why.code,
            reason=why.note,
        )
        return Done(f"/admin/orders/details/{order.id}")


async def _job(scene: Scene) -> Job:
    digits = scene.key
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 19 else 0  # noqa: PLR2004
    job = await scene.session.get(Job, number)
    if job is None:
        raise HTTPException(404)
    return job


async def _regular(scene: Scene) -> RegularJob:
    job = await scene.session.get(RegularJob, scene.key)
    if job is None:
        raise HTTPException(404)
    return job


SYSTEM_ACTS: tuple[Act, ...] = (
    RunEventAgain(),
    RunJobAgain(),
    RunRegularJob(),
    ResendMail(),
    ResendOrder(),
)
