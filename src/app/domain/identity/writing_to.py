"""Letters to a customer, at the address that they sign in with."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.identity.credential_models import Credential
from app.domain.mailing.outbox import Letter, post


async def write_to(session: AsyncSession, customer_id: UUID, letter: Letter) -> None:
    """Put a letter to a customer into the outbox; who cannot sign in gets none."""
    credential = await session.scalar(
        select(Credential).where(Credential.customer_id == customer_id)
    )
    if credential is not None:
        await post(session, credential.email, letter, credential_id=credential.id)
