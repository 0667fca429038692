"""What one member of staff can ask another to approve: every kind, and what it does then."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request

from app.admin.permissions import APPROVE, allowed
from app.domain.identity.approvals import Executor
from app.domain.identity.audit import Actor
from app.domain.identity.staff_models import Approval
from app.parts import Parts

Execute = Callable[[Parts, AsyncSession, Approval, Actor], Awaitable[dict[str, Any] | None]]


class Kind(msgspec.Struct, frozen=True):
    """A kind of request for approval.

    `view`: whose APPROVE decides it. `href`: where its subject is, with `{id}`. `describe`: what is
    asked for, as titles and values for whoever decides. `execute` does it in the transaction of the
    approval and raises an AppError when it cannot be done any more; `changed` says before what has
    changed so that it does; `afterwards` runs once that is committed, for what has to be done at
    Stripe at once.
    """

    title: str
    view: str
    href: str
    describe: Callable[[Approval], list[tuple[str, str]]]
    execute: Execute
    changed: Callable[[AsyncSession, Approval], Awaitable[str]] | None = None
    afterwards: Callable[[Parts, Approval], Awaitable[None]] | None = None


def executors(parts: Parts, kinds: Mapping[str, Kind]) -> dict[str, Executor]:
    """Give what `approve` is handed: how each kind is done in this process."""
    return {name: partial(kind.execute, parts) for name, kind in kinds.items()}


def may_decide(request: Request, kind: Kind) -> bool:
    """Tell whether the member's roles let them decide such a request (their own never)."""
    return allowed(request.state.staff, kind.view, APPROVE)
