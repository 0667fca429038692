"""Which letters a customer wants. What the law or the account's safety asks for always comes."""

from collections.abc import Collection, Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.identity.audit import Actor, record
from app.domain.identity.credential_models import Credential
from app.domain.identity.customer_sessions import CustomerSignedIn
from app.domain.mailing.models import MailKind

SWITCHABLE: Mapping[MailKind, str] = {
    MailKind.PURCHASE_APPROVED: "A purchase was approved",
    MailKind.PURCHASE_DECLINED: "A purchase was declined, and what to do about it",
    MailKind.PURCHASE_REFUNDED: "A merchant gave money back",
    MailKind.HOLD_CHARGED: "What was held is charged, because the hold was about to end",
    MailKind.SOURCE_EXPIRING: "A linked card expires soon",
}
ALWAYS = (
    "Sign-ins from a new browser",
    "Changes of the password, the e-mail address and the second step",
    "A card was linked, or a card's number was shown",
    "Something is not paid, or your cards stop without your doing, and when they work again",
)


async def choose_letters(
    session: AsyncSession, signed_in: CustomerSignedIn, wanted: Collection[str], actor: Actor
) -> None:
    """Keep which of the letters that can be switched off are wanted."""
    credential = await session.get_one(Credential, signed_in.credential_id)
    before = credential.mail_off
    credential.mail_off = [kind.value for kind in SWITCHABLE if kind not in wanted]
    if credential.mail_off != before:
        record(
            session,
            actor,
            "customer.choose_letters",
            subject=credential,
            before={"off": before},
            after={"off": credential.mail_off},
        )
