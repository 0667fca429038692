"""What an action of staff is: what its page tells before, what it asks, and what it does."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from app.admin.forms import text_field
from app.domain.identity.audit import Actor
from app.domain.identity.reasons import Reason
from app.domain.identity.sessions import SignedIn
from app.errors import AppError
from app.money import UnreadableAmount, parse_amount, readable
from app.parts import Parts
from app.regular_job import RegularJob


class FieldProblem(AppError, status=422):
    """What a field holds cannot be used. The message begins with the field's name and a colon."""


class Field(msgspec.Struct, frozen=True):
    """Something that an action asks for. `options`: values and words of a choice or of checks."""

    name: str
    label: str
    kind: str = "text"
    value: str = ""
    hint: str = ""
    required: bool = True
    options: Sequence[tuple[str, str]] = ()
    chosen: Sequence[str] = ()


class Told(msgspec.Struct, frozen=True):
    """What the page of an action says before it is done.

    `seen`: the mark of what is changed. `refused`: why it cannot be done now. `onward`: where the
    thing is shown. `approval`: what another member has to agree to.
    """

    what: str
    onward: str
    facts: Sequence[tuple[str, str]]
    effects: Sequence[str]
    seen: str
    cost: str = "Nothing"
    most: str = ""
    fields: Sequence[Field] = ()
    refused: str = ""
    approval: str = ""


class Done(msgspec.Struct, frozen=True):
    """What came of an action: where to go on; and what is to be done once it is committed."""

    onward: str
    afterwards: Callable[[], Awaitable[None]] | None = None
    # Another member has to approve it first: nothing is done yet.
    asked: bool = False


class Scene(msgspec.Struct, frozen=True):
    """Who acts on what, and with what. `now`: business time. `key`: from the address.

    `typed`: what the form holds, or what the address fills it with.
    """

    parts: Parts
    session: AsyncSession
    staff: SignedIn
    actor: Actor
    key: str
    zone: ZoneInfo
    now: datetime
    typed: FormData

    @property
    def id(self) -> UUID:
        """The key as an id. Raises 404 where it is none."""
        try:
            return UUID(self.key)
        except ValueError:
            raise HTTPException(404) from None

    async def found(self, table: type[Any]) -> Any:
        """Give the row that the key names. Raises 404 where there is none."""
        row = await self.session.get(table, self.id)
        if row is None:
            raise HTTPException(404)
        return row


class Act(ABC):
    """An action: `/admin/act/{slug}/{key}`. `view` and `action` name it in the permissions."""

    slug: ClassVar[str]
    title: ClassVar[str]
    view: ClassVar[str]
    action: ClassVar[str]
    reasons: ClassVar[tuple[str, ...]]
    # What the notice says once it is done.
    done: ClassVar[str]
    # The lists whose records offer it, where that is not the view.
    on: ClassVar[tuple[str, ...]] = ()
    # Whether it takes something away for good.
    grave: ClassVar[bool] = False
    # What a button says that only looks again, with what was typed; none without it.
    looks: ClassVar[str] = ""

    def offered(self, row: Any) -> bool:  # noqa: ARG002  most are always there
        """Say whether a record's page offers the action, by the record's state."""
        return True

    async def hindrance(self, session: AsyncSession, row: Any, now: datetime) -> str:  # noqa: ARG002
        """Say what besides the record's state keeps it from being done now; nothing, mostly.

        `now` is business time. What cannot be done is left out of a record's page, and the page of
        the action says why.
        """
        return ""

    def address(self, row: Any) -> str:
        """Give where the action is done to a record."""
        key = row.name if isinstance(row, RegularJob) else row.id
        return f"/admin/act/{self.slug}/{key}"

    def from_list(self, view: str) -> list[tuple[str, str]]:  # noqa: ARG002  most need a row
        """Give titles and addresses that a list's head offers."""
        return []

    @abstractmethod
    async def look(self, scene: Scene) -> Told:
        """Tell what there is to know before."""

    @abstractmethod
    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:
        """Do it in the scene's transaction, through one call of the domain. Raises AppErrors."""


def seen_in(form: FormData) -> str:
    """Give the mark of what was shown when the page was opened. Without one nothing matches."""
    return text_field(form, "seen") or "-"


def money_in(form: FormData, name: str, *, most_minor: int, least_minor: int = 1) -> int:
    """Read an amount in minor units. Raises FieldProblem, also below the least, above the most."""
    try:
        amount = parse_amount(text_field(form, name))
    except UnreadableAmount as problem:
        raise FieldProblem(f"{name}: {problem}.") from None
    if not least_minor <= amount <= most_minor:
        least, most = readable(least_minor), readable(most_minor)
        raise FieldProblem(f"{name}: an amount from {least} to {most}.")
    return amount


def choice_in(form: FormData, name: str, options: Sequence[tuple[str, str]]) -> str:
    """Read a choice. Raises FieldProblem for what is not offered."""
    value = text_field(form, name)
    if value not in {option for option, _ in options}:
        raise FieldProblem(f"{name}: choose one of the list.")
    return value
