"""What the story leaves to the staff: an event and a job that fail, a write-off to approve."""

import hashlib
import hmac
import json
import time
from datetime import UTC, datetime

import aiohttp
from sqlalchemy import select, text

from app.admin.approvals.money import WRITE_OFF_KIND
from app.config import Settings
from app.domain.funding.refund_models import Receivable
from app.domain.funding.states import ReceivableState
from app.domain.identity.approvals import ask
from app.domain.identity.audit import Actor, Subject
from app.domain.identity.models import Customer
from app.domain.identity.reasons import Reason
from app.domain.identity.staff import staff_by_email
from app.domain.identity.staff_models import Approval
from app.domain.issuing.mirroring import TELL_STRIPE
from app.parts import Parts
from app.queue import enqueue
from local_stack.demo_people import FINANCE_EMAIL

_EVENTS = "/webhooks/stripe/events"
_OF_NOBODY = "ipi_demoWithoutAnything"
_JOB_OF_NOBODY = "demo"
_NOTE = "Three letters and a call; the number is not in service any more."


async def ask_to_write_off(parts: Parts) -> None:
    """Have finance ask for the oldest debt to be given up, which somebody else has to approve."""
    async with parts.sessions.begin() as session:
        debt = await session.scalar(
            select(Receivable)
            .where(Receivable.state == ReceivableState.OPEN)
            .order_by(Receivable.created_at)
            .limit(1)
        )
        member = await staff_by_email(session, FINANCE_EMAIL)
        asked = await session.scalar(
            select(Approval.id).where(Approval.kind == WRITE_OFF_KIND).limit(1)
        )
        if debt is None or member is None or asked is not None:
            return
        customer = await session.get_one(Customer, debt.customer_id)
        await ask(
            session,
            WRITE_OFF_KIND,
            subject=Subject("receivable", str(debt.id)),
            arguments={"customer": customer.name, "outstanding_minor": debt.outstanding_minor},
            reason=Reason("uncollectible", _NOTE),
            by=Actor("staff", member.id),
            now=datetime.now(UTC),
        )


async def leave_a_failed_job(parts: Parts) -> None:
    """Queue a job that does not say what it is about: it is held at once, for a person."""
    known = text("SELECT 1 FROM pgqueuer WHERE dedupe_key = :key")
    async with parts.sessions.begin() as session:
        if await session.scalar(known, {"key": f"{TELL_STRIPE}:{_JOB_OF_NOBODY}"}) is None:
            wrong = {"order": "of nobody"}
            await enqueue(session, TELL_STRIPE, wrong, key=_JOB_OF_NOBODY)


async def send_what_fails(settings: Settings) -> None:
    """Tell the product of a transaction that says nothing: its event fails again and again.

    After the last try, some four minutes later, it waits for a person.
    """
    event = {
        "id": "evt_demoWithoutAnything",
        "object": "event",
        "type": "issuing_transaction.created",
        "created": int(time.time()),
        "data": {"object": {"id": _OF_NOBODY, "object": "issuing.transaction"}},
    }
    body = json.dumps(event).encode()
    signed_at = int(time.time())
    secret = settings.events_secrets[0].encode()
    signature = hmac.new(secret, f"{signed_at}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "Stripe-Signature": f"t={signed_at},v1={signature}",
    }
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session,
        session.post(settings.app_url + _EVENTS, data=body, headers=headers) as response,
    ):
        response.raise_for_status()
