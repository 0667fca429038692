"""The second step of a customer's sign-in: a code of their app, or one from paper. Theirs to have.

With it on, a password alone opens nothing: neither a session nor what asks for the password again,
and a reset of the password leaves it on. A code is good once.
"""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from uuid_utils.compat import uuid7

from app.db import Sessions
from app.domain.identity.audit import Actor, record
from app.domain.identity.credential_models import (
    Credential,
    CustomerRecoveryCode,
    CustomerSession,
    SecondStep,
)
from app.domain.identity.customer_sessions import CustomerSignedIn, PasswordNeeded, hashed, renew
from app.domain.identity.letters import RECOVERY_CODES_NEW, SECOND_STEP_OFF, SECOND_STEP_ON
from app.domain.identity.one_time_codes import (
    new_recovery_codes,
    new_salt,
    recovery_hash,
    secret_of,
    step_of,
)
from app.domain.identity.throttle import CODE, count_attempt, forgive
from app.domain.mailing.outbox import post
from app.errors import AppError

HALF_LASTS = timedelta(minutes=10)


class WrongCode(AppError, status=401):
    """The code is not one of this moment, or was used already."""


class NothingToConfirm(AppError, status=409):
    """There is no second step that waits to be confirmed, or it is on already."""


class Standing(msgspec.Struct, frozen=True):
    """How a person's second step stands. `secret`: of one that waits to be confirmed."""

    is_on: bool
    secret: str = ""
    recovery_left: int = 0


async def standing_of(session: AsyncSession, credential_id: UUID, key: str) -> Standing:
    """Tell how it stands. `key` is ours, and not in the database."""
    kept = await _kept(session, credential_id)
    if kept is None:
        return Standing(is_on=False)
    if kept.confirmed_at is None:
        return Standing(is_on=False, secret=secret_of(kept.salt, key))
    left = await session.scalars(
        select(CustomerRecoveryCode.id).where(
            CustomerRecoveryCode.credential_id == credential_id,
            CustomerRecoveryCode.used_at.is_(None),
        )
    )
    return Standing(is_on=True, recovery_left=len(left.all()))


async def begin(session: AsyncSession, signed_in: CustomerSignedIn, now: datetime) -> None:
    """Give a secret to be put into an app. Raises PasswordNeeded, NothingToConfirm when it is on.

    Begun anew it is another secret, until a code of it has been given.
    """
    _want_password(signed_in, now)
    kept = await _kept(session, signed_in.credential_id, lock=True)
    if kept is None:
        kept = SecondStep(id=uuid7(), credential_id=signed_in.credential_id, last_step=0)
        session.add(kept)
    elif kept.confirmed_at is not None:
        raise NothingToConfirm("Your second step is on already.")
    kept.salt = new_salt()


async def confirm(
    sessions: Sessions,
    signed_in: CustomerSignedIn,
    code: str,
    *,
    key: str,
    actor: Actor,
    now: datetime,
) -> list[str]:
    """Turn it on with the first code of the app; give the recovery codes, which are shown once.

    Raises WrongCode, NothingToConfirm, PasswordNeeded and TooManyAttempts.
    """
    _want_password(signed_in, now)
    await _count(sessions, signed_in.credential_id, actor, now)
    async with sessions.begin() as session:
        kept = await _kept(session, signed_in.credential_id, lock=True)
        if kept is None or kept.confirmed_at is not None:
            raise NothingToConfirm("Begin again.")
        step = step_of(secret_of(kept.salt, key), code, now)
        if step is None:
            raise WrongCode("This is not the code that the app shows now.")
        kept.confirmed_at, kept.last_step = now, step
        codes = await _keep_new_codes(session, kept.credential_id)
        await forgive(session, CODE, str(kept.credential_id))
        credential = await session.get_one(Credential, kept.credential_id)
        await post(session, credential.email, SECOND_STEP_ON, credential_id=credential.id)
        record(session, actor, "customer.second_step_on", subject=credential)
    return codes


async def renew_recovery_codes(
    session: AsyncSession, signed_in: CustomerSignedIn, *, actor: Actor, now: datetime
) -> list[str]:
    """Give recovery codes instead of all earlier ones; the second step stays on meanwhile.

    Raises PasswordNeeded, and NothingToConfirm where the second step is off.
    """
    _want_password(signed_in, now)
    kept = await _kept(session, signed_in.credential_id, lock=True)
    if kept is None or kept.confirmed_at is None:
        raise NothingToConfirm("Your second step is off: there are no recovery codes.")
    codes = await _keep_new_codes(session, kept.credential_id)
    credential = await session.get_one(Credential, kept.credential_id)
    await post(session, credential.email, RECOVERY_CODES_NEW, credential_id=credential.id)
    record(session, actor, "customer.new_recovery_codes", subject=credential)
    return codes


async def turn_off(
    session: AsyncSession, signed_in: CustomerSignedIn, *, actor: Actor, now: datetime
) -> None:
    """Ask for the password alone from now on. Raises PasswordNeeded."""
    _want_password(signed_in, now)
    whose = signed_in.credential_id
    await _forget_codes(session, whose)
    gone = await session.scalar(
        delete(SecondStep).where(SecondStep.credential_id == whose).returning(SecondStep.id)
    )
    if gone is None:
        return
    credential = await session.get_one(Credential, whose)
    await post(session, credential.email, SECOND_STEP_OFF, credential_id=credential.id)
    record(session, actor, "customer.second_step_off", subject=credential)


async def is_on(session: AsyncSession, credential_id: UUID) -> bool:
    kept = await _kept(session, credential_id)
    return kept is not None and kept.confirmed_at is not None


async def take_step(
    sessions: Sessions, token: str, code: str, *, key: str, actor: Actor, now: datetime
) -> str:
    """Sign in who has given the password, with a code; give the session's new token.

    Raises WrongCode, for a half session that is over too, and TooManyAttempts.
    """
    async with sessions() as session:
        half = await _half(session, token, now)
    if half is None:
        raise WrongCode("This took too long. Begin again with your password.")
    await _count(sessions, half.credential_id, actor, now)
    async with sessions.begin() as session:
        begun = await _half(session, token, now)
        if begun is None:
            raise WrongCode("This took too long. Begin again with your password.")
        await use_code(session, begun.credential_id, code, key=key, now=now)
        await forgive(session, CODE, str(begun.credential_id))
        begun.half = False
        credential = await session.get_one(Credential, begun.credential_id)
        who = credential.customer_id or credential.id
        told = Actor("customer", who, actor.address, actor.request_id)
        record(session, told, "customer.second_step", subject=credential)
        return await renew(session, begun.id, now)


async def half_signed_in(sessions: Sessions, token: str, now: datetime) -> bool:
    """Tell whether a browser's token is of somebody whose code is still wanted."""
    async with sessions() as session:
        return await _half(session, token, now) is not None


async def check_code(
    sessions: Sessions,
    credential_id: UUID,
    code: str,
    *,
    key: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Use a code up beside a password, where the second step is on.

    Raises WrongCode and TooManyAttempts.
    """
    async with sessions() as session:
        if not await is_on(session, credential_id):
            return
    await _count(sessions, credential_id, actor, now)
    async with sessions.begin() as session:
        await use_code(session, credential_id, code, key=key, now=now)
        await forgive(session, CODE, str(credential_id))


async def use_code(
    session: AsyncSession, credential_id: UUID, code: str, *, key: str, now: datetime
) -> None:
    """Use a code of the app or a recovery code up. Raises WrongCode."""
    kept = await _kept(session, credential_id, lock=True)
    if kept is None or kept.confirmed_at is None:
        raise WrongCode("There is no second step any more. Begin again with your password.")
    step = step_of(secret_of(kept.salt, key), code, now)
    if step is not None and step > kept.last_step:
        kept.last_step = step
        return
    found = await session.scalar(
        select(CustomerRecoveryCode).where(
            CustomerRecoveryCode.credential_id == credential_id,
            CustomerRecoveryCode.code_hash == recovery_hash(code),
            CustomerRecoveryCode.used_at.is_(None),
        )
    )
    if found is None:
        raise WrongCode("This code is wrong, or was used already.")
    found.used_at = now


def _want_password(signed_in: CustomerSignedIn, now: datetime) -> None:
    if not signed_in.gave_password(now):
        raise PasswordNeeded("Give your password again to change the second step.")


async def _keep_new_codes(session: AsyncSession, credential_id: UUID) -> list[str]:
    """Give recovery codes instead of all earlier ones; only their hashes are kept."""
    await _forget_codes(session, credential_id)
    codes = new_recovery_codes()
    session.add_all(
        CustomerRecoveryCode(credential_id=credential_id, code_hash=recovery_hash(one))
        for one in codes
    )
    return codes


async def _forget_codes(session: AsyncSession, credential_id: UUID) -> None:
    await session.execute(
        delete(CustomerRecoveryCode).where(CustomerRecoveryCode.credential_id == credential_id)
    )


async def _count(sessions: Sessions, credential_id: UUID, actor: Actor, now: datetime) -> None:
    async with sessions.begin() as session:
        await count_attempt(session, CODE, str(credential_id), actor.address or "", now)


async def _kept(
    session: AsyncSession, credential_id: UUID, *, lock: bool = False
) -> SecondStep | None:
    query = select(SecondStep).where(SecondStep.credential_id == credential_id)
    found: SecondStep | None = await session.scalar(query.with_for_update() if lock else query)
    return found


async def _half(session: AsyncSession, token: str, now: datetime) -> CustomerSession | None:
    found: CustomerSession | None = await session.scalar(
        select(CustomerSession).where(
            CustomerSession.token_hash == hashed(token),
            CustomerSession.half,
            CustomerSession.ended_at.is_(None),
            CustomerSession.created_at > now - HALF_LASTS,
        )
    )
    return found
