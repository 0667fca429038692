"""The stop of a merchant, named by the purchase that it was seen on."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from app.admin.forms import text_field
from app.admin.pages.actions.act import Act, Field, Scene
from app.admin.pages.actions.rules import OBEYED, Stop, prefilled
from app.admin.permissions import BLOCK
from app.domain.issuing.models import Authorization
from app.domain.issuing.rule_reading import LONGEST_NAME, MERCHANT_ID

PURCHASE = "purchase"


class StopMerchant(Stop):
    """`/admin/act/stop-merchant/new`. A link from a purchase names the purchase too.

    It does not name the merchant: whoever makes a link cannot make the page call one by another's
    name.
    """

    slug, title, target = "stop-merchant", "Block a merchant", "merchant"
    action, on = BLOCK, ("purchases",)
    reasons = ("fraud_suspected", "policy", "incident", "other")
    effects = ("Every purchase at the merchant is declined, for all customers.", OBEYED)

    def asked(self, kind: str) -> tuple[Field, ...]:  # noqa: ARG002  it is always a stop
        hint = "Its name, with * for anything; or id: and the network's id of it."
        return (Field("value", "Merchant", hint=hint),)

    def own_fields(self) -> tuple[Field, ...]:
        return (*super().own_fields(), Field(PURCHASE, "Seen on", "hidden", required=False))

    def offered(self, row: Any) -> bool:
        return bool(row.merchant_name)

    def address(self, row: Any) -> str:
        known = row.merchant_network_id
        if not known:
            return prefilled(self.slug, value=row.merchant_name)
        return prefilled(self.slug, value=f"{MERCHANT_ID}{known}", purchase=str(row.id))

    async def facts(self, scene: Scene, typed: Mapping[str, str]) -> Sequence[tuple[str, str]]:
        name = await _merchant_name(scene, typed.get("value", ""))
        return (("Merchant", name),) if name else ()

    async def name(self, scene: Scene, typed: Mapping[str, str]) -> str:
        value = typed.get("value", "")
        merchant = await _merchant_name(scene, value)
        if not merchant:
            return await super().name(scene, typed)
        before, after = "Stop: merchant ", f" ({value})"
        room = max(LONGEST_NAME - len(before) - len(after), 0)
        return f"{before}{merchant[:room]}{after}"[:LONGEST_NAME]


async def _merchant_name(scene: Scene, value: str) -> str:
    """Give the name on the purchase that the form carries, where that is at this very merchant.

    Without what cannot be printed; empty where the form carries no such purchase.
    """
    try:
        key = UUID(text_field(scene.typed, PURCHASE))
    except ValueError:
        return ""
    purchase = await scene.session.get(Authorization, key)
    if purchase is None or not purchase.merchant_network_id:
        return ""
    if value != f"{MERCHANT_ID}{purchase.merchant_network_id}":
        return ""
    words = "".join(one if one.isprintable() else " " for one in purchase.merchant_name)
    return " ".join(words.split())


MERCHANT_ACTS: tuple[Act, ...] = (StopMerchant(),)
