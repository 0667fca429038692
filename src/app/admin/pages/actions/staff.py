"""A new member of the staff is invited; another member has to approve it."""

from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from app.admin.approvals.members import INVITATION
from app.admin.forms import text_field
from app.admin.pages.actions.act import Act, Done, Field, Scene, Told, seen_in
from app.admin.permissions import INVITE
from app.domain.identity.approvals import ask
from app.domain.identity.audit import Subject
from app.domain.identity.models import Staff
from app.domain.identity.reasons import Reason
from app.domain.identity.staff_changes import member_of_staff, read_roles
from app.domain.identity.staff_invitations import (
    LASTS,
    invite_again,
    read_newcomer,
    refuse_known,
)
from app.domain.identity.states import Role, StaffState
from app.domain.marks import check_mark, mark
from app.domain.states import IllegalMove


class InviteMember(Act):
    """`/admin/act/invite-member/new`."""

    slug, title, view, action = "invite-member", "Invite a member", "staff", INVITE
    done = "The invitation is asked for."
    reasons = ("joined", "changed_work", "other")

    def offered(self, row: object) -> bool:  # noqa: ARG002  it begins with nobody
        return False

    def from_list(self, view: str) -> list[tuple[str, str]]:
        return [(self.title, f"/admin/act/{self.slug}/new")] if view == self.view else []

    async def look(self, scene: Scene) -> Told:
        if scene.key != "new":
            raise HTTPException(404)
        return Told(
            what="Staff",
            onward="/admin/staff/list",
            facts=(
                ("Roles", "They add up: who holds two may do what either may."),
                ("Owner", "Holds all roles, and only an owner makes another one."),
            ),
            effects=(
                "Once approved, a letter with a link goes to the address.",
                (
                    f"The link works once, for {LASTS.days} days: the member chooses a password"
                    " that nobody else sees, and enrols an authenticator."
                ),
            ),
            seen="new",
            fields=(
                Field("email", "E-mail address", hint="Of the member alone, not of a team."),
                Field("name", "Name", hint="As the trail will call them."),
                Field("roles", "Roles", "checks", options=[(role, role) for role in Role]),
            ),
            approval="Another member with the role admin or owner has to agree within 24 hours.",
        )

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:
        email, name = read_newcomer(text_field(form, "email"), text_field(form, "name"))
        chosen = [role for role in form.getlist("roles") if isinstance(role, str)]
        roles = sorted(role.value for role in read_roles(chosen))
        await refuse_known(scene.session, email)
        wanted = await ask(
            scene.session,
            INVITATION,
            subject=Subject("invitation", email),
            arguments={"name": name, "email": email, "after": roles},
            reason=why,
            by=scene.actor,
            now=datetime.now(UTC),
        )
        return Done(f"/admin/approval/{wanted.id}", asked=True)


class InviteAgain(Act):
    slug, title, view, action = "invite-again", "Send the invitation again", "staff", INVITE
    done = "Another letter is on its way; the link of the one before works no more."
    reasons = ("joined", "other")

    def offered(self, row: Any) -> bool:
        return row.password_hash is None and row.state is StaffState.ACTIVE

    async def look(self, scene: Scene) -> Told:
        member: Staff = await scene.found(Staff)
        return Told(
            what=member.name,
            onward=f"/admin/member/{member.id}",
            facts=(("E-mail address", member.email), ("Roles", ", ".join(sorted(member.roles)))),
            effects=(f"A letter with a new link goes to {member.email}; earlier links end.",),
            seen=mark(member),
            refused="" if self.offered(member) else f"{member.name} has a password already.",
        )

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:
        member = await member_of_staff(scene.session, scene.id)
        check_mark(seen_in(form), member)
        if not self.offered(member):
            raise IllegalMove(f"{member.name} has a password already.")
        await invite_again(
            scene.session,
            member,
            office=scene.parts.settings.office_url,
            reason=why,
            actor=scene.actor,
            now=datetime.now(UTC),
        )
        return Done(f"/admin/member/{member.id}")


STAFF_ACTS: tuple[Act, ...] = (InviteMember(), InviteAgain())
