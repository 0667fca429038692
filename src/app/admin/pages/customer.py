"""A customer on one page: who, with what, what was bought, owed, said, mailed and done."""

from typing import Any
from uuid import UUID

from sqladmin import expose
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.admin.forms import check_csrf
from app.admin.noting import note
from app.admin.pages.office_page import OfficePage, parts_of, require
from app.admin.permissions import FULL_EMAIL, NOTE, allowed
from app.domain.identity.audit_models import AuditEntry
from app.domain.identity.credential_models import Credential, CustomerSession
from app.domain.identity.desk import LONGEST_NOTE, add_note
from app.domain.identity.desk_models import CustomerNote
from app.domain.identity.models import Customer, Staff
from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.portrait import portray
from app.domain.mailing.models import Mail
from app.errors import AppError

SHOWN = 15


class CustomerPage(OfficePage):
    """`/admin/customer/{id}`."""

    name = "Customer"
    view = "customer"

    @expose("/customer/{pk:uuid}", methods=["GET"], identity="customer")
    async def customer(self, request: Request) -> Response:
        return await self._page(request, None)

    @expose("/customer/{pk:uuid}/note", methods=["POST"], identity="customer-note")
    async def note(self, request: Request) -> Response:
        """Add a note under the member's name."""
        require(request, self.view, NOTE)
        form = await check_csrf(request)
        try:
            async with parts_of(request).sessions.begin() as session:
                customer = await _named(session, request.path_params["pk"])
                words = form.get("text")
                said = words if isinstance(words, str) else ""
                told = await add_note(session, customer, said, request.state.actor)
        except AppError as problem:
            return await self._page(request, problem, form)
        query = f"?told={len(told)}" if told else ""
        return RedirectResponse(f"/admin/customer/{customer.id}{query}#notes", status_code=303)

    async def _page(
        self, request: Request, problem: AppError | None, typed: FormData | None = None
    ) -> Response:
        now = parts_of(request).clock.now()
        async with parts_of(request).sessions() as session:
            customer = await _named(session, request.path_params["pk"])
            told: dict[str, Any] = {
                "customer": customer,
                "portrait": await portray(session, customer, now),
                **await written(session, customer),
            }
        full = allowed(request.state.staff, "customers", FULL_EMAIL)
        if full and problem is None:
            await note(request, "customer.read", customer)
        told |= {
            "full_email": full,
            "explanations": EXPLANATIONS,
            "may_note": allowed(request.state.staff, self.view, NOTE),
            "longest": LONGEST_NOTE,
            "problem": problem,
            "told": request.query_params.get("told", "").isdecimal(),
            "typed": typed.get("text", "") if typed else "",
        }
        status = problem.status_code if problem else 200
        return await self.show(request, "customer.html", told, status)


async def written(session: AsyncSession, customer: Customer) -> dict[str, Any]:
    """Read what was written about and to a customer, newest first."""
    notes = await session.execute(
        select(CustomerNote, Staff.name)
        .join(Staff, Staff.id == CustomerNote.staff_id)
        .where(CustomerNote.customer_id == customer.id)
        .order_by(CustomerNote.created_at.desc())
        .limit(SHOWN)
    )
    credential = await session.scalar(
        select(Credential).where(Credential.customer_id == customer.id)
    )
    mails: list[Mail] = []
    sign_ins: list[CustomerSession] = []
    if credential is not None:
        mails = list(await session.scalars(_latest(Mail, Mail.credential_id, credential.id)))
        theirs = _latest(CustomerSession, CustomerSession.credential_id, credential.id)
        sign_ins = list(await session.scalars(theirs))
    trail = await session.execute(
        select(AuditEntry, Staff.name)
        .outerjoin(Staff, Staff.id == AuditEntry.actor_id)
        .where(
            AuditEntry.subject_kind == "customer",
            AuditEntry.subject_id == str(customer.id),
            ~AuditEntry.action.endswith(".read"),
        )
        .order_by(AuditEntry.created_at.desc())
        .limit(SHOWN)
    )
    return {
        "notes": list(notes),
        "mails": mails,
        "sign_ins": sign_ins,
        "trail": list(trail),
    }


def _latest(table: Any, column: Any, key: UUID) -> Any:
    return select(table).where(column == key).order_by(table.created_at.desc()).limit(SHOWN)


async def _named(session: AsyncSession, key: UUID) -> Customer:
    customer = await session.get(Customer, key)
    if customer is None:
        raise HTTPException(404)
    return customer
