"""Another price, from a moment on."""

from datetime import datetime
from zoneinfo import ZoneInfo

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from app.admin.forms import text_field
from app.admin.pages.actions.act import (
    Act,
    Done,
    Field,
    FieldProblem,
    Scene,
    Told,
    choice_in,
    money_in,
)
from app.admin.permissions import CHANGE
from app.days import is_known
from app.domain.funding.plans import (
    MOST_FIXED_MINOR,
    MOST_PERCENT_BPS,
    PlanDraft,
    add_plan,
    plan_in_force,
    price_of,
)
from app.domain.funding.pricing import RefundFeePolicy
from app.domain.identity.reasons import Reason
from app.money import readable

EXAMPLES_MINOR = (1_000, 10_000)
POLICIES = (
    (RefundFeePolicy.PROPORTIONAL.value, "Our fee goes back in proportion"),
    (RefundFeePolicy.KEPT.value, "We keep our fee"),
)


class AddPrice(Act):
    """`/admin/act/add-price/new`."""

    slug, title, view, action = "add-price", "Set another price", "prices", CHANGE
    done = "The price begins at its time."
    reasons = ("price_change", "policy", "other")

    def offered(self, row: object) -> bool:  # noqa: ARG002  a price is never changed itself
        return False

    def from_list(self, view: str) -> list[tuple[str, str]]:
        return [(self.title, f"/admin/act/{self.slug}/new")] if view == self.view else []

    async def look(self, scene: Scene) -> Told:
        if scene.key != "new":
            raise HTTPException(404)
        plan = await plan_in_force(scene.session, scene.now)
        facts = [("In force", plan.name if plan else "none: every purchase is declined")]
        if plan is not None:
            price = price_of(plan)
            facts += [
                (f"On {readable(amount)}", f"fee {readable(price.fee(amount))}")
                for amount in EXAMPLES_MINOR
            ]
        return Told(
            what="Prices",
            onward="/admin/prices/list",
            facts=facts,
            effects=(
                "Purchases that are asked about from that moment on cost this fee.",
                "What was asked about before keeps the price it was asked at, to its end.",
                "A price is never changed or deleted; set another one to undo it.",
                "Customers have to be told before: what they agreed to names the fee.",
            ),
            seen="new",
            most=f"{MOST_PERCENT_BPS / 100:.2f} % and {readable(MOST_FIXED_MINOR)}",
            fields=(
                Field("name", "Name", hint="Statements and records call it so."),
                Field(
                    "from",
                    "From",
                    "moment",
                    hint=f"In {scene.parts.settings.business_timezone}, in the future.",
                ),
                Field("percent", "Percent of the amount", "money", hint="5.00 is 5 %"),
                Field("fixed", "Fixed part", "money"),
                Field("minimum", "At least", "money", "0.00"),
                Field("policy", "When a merchant refunds", "choice", options=POLICIES),
            ),
        )

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:
        draft = PlanDraft(
            name=" ".join(text_field(form, "name").split()),
            effective_from=_moment(text_field(form, "from"), scene.zone),
            percent_bps=money_in(form, "percent", most_minor=MOST_PERCENT_BPS, least_minor=0),
            fixed_minor=money_in(form, "fixed", most_minor=MOST_FIXED_MINOR, least_minor=0),
            minimum_minor=money_in(form, "minimum", most_minor=MOST_FIXED_MINOR, least_minor=0),
            refund_fee_policy=RefundFeePolicy(choice_in(form, "policy", POLICIES)),
        )
        plan = await add_plan(scene.session, draft, actor=scene.actor, why=why, now=scene.now)
        return Done(f"/admin/prices/details/{plan.id}")


def _moment(typed: str, zone: ZoneInfo) -> datetime:
    """Read a time of the business's zone. Raises FieldProblem."""
    try:
        found = datetime.fromisoformat(typed)
    except ValueError:
        found = None
    if found is None or not is_known(found):
        raise FieldProblem("from: choose a day and a time.")
    return found if found.tzinfo else found.replace(tzinfo=zone)


PRICE_ACTS: tuple[Act, ...] = (AddPrice(),)
