"""Rules that staff add: stops of purchases and linked cards, blocks, any other kind."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import func, select
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from app.adapters.stripe_categories import CATEGORIES
from app.admin.forms import text_field
from app.admin.pages.actions.act import Act, Done, Field, Scene, Told, choice_in
from app.admin.pages.actions.rule_preview import would_have_refused
from app.admin.permissions import BLOCK, CHANGE, STOP
from app.domain.identity.reasons import Reason
from app.domain.issuing.control_models import DecisionRule
from app.domain.issuing.rule_book import add_rule
from app.domain.issuing.rule_reading import LONGEST_NAME, Draft, read_condition, read_name
from app.domain.issuing.rules import RuleMode

NEW = "new"
LIST = "/admin/rules/list"
SCOPES = (("card", "each card"), ("customer", "each customer"))
GROUPS = (
    ("other", "Another reason"),
    ("cash", "Cash"),
    ("quasi_cash", "As good as cash"),
    ("gambling", "Gambling"),
)
MODES = (("enforced", "Refuse from now on"), ("shadow", "Only watch and record (shadow)"))
FIELDS: Mapping[str, tuple[Field, ...]] = {
    "stop": (Field("value", "What is stopped"),),
    "closed_categories": (
        Field("categories", "Categories", hint="Stripe's words with commas, such as bakeries"),
        Field("group", "Why they are closed", "choice", options=GROUPS),
    ),
    "closed_countries": (Field("countries", "Countries", hint="Two letters, such as US, CA"),),
    "velocity": (
        Field("scope", "Counted for", "choice", options=SCOPES),
        Field("minutes", "Within minutes"),
        Field("purchases", "At most purchases", required=False),
        Field("amount", "At most in all", "money", required=False),
    ),
    "new_customer": (
        Field("for_days", "For customers newer than days"),
        Field("window_days", "Within days"),
        Field("amount", "At most in all", "money"),
    ),
    "decline_streak": (Field("minutes", "Within minutes"), Field("declines", "Declines")),
    "card_testing": (Field("minutes", "Within minutes"), Field("probes", "Small probes")),
    "risk_score": (Field("at_least", "Score of at least", hint="From 0 to 99"),),
}
OBEYED = "Every process obeys from the next purchase on; what was approved is not taken back."


OWN_KINDS = {
    "velocity": "velocity",
    "new_customer": "new customers",
    "decline_streak": "streak of declines",
    "card_testing": "card testing",
    "risk_score": "risk score",
}
"""The kinds that no action of their own adds."""


class AddRule(Act):
    """`/admin/act/add-rule/{kind}`: any kind of rule. It begins in shadow unless told otherwise."""

    slug, title, view, action = "add-rule", "Add a rule", "rules", CHANGE
    done = "The rule is in force."
    reasons = ("policy", "fraud_suspected", "incident", "other")
    effects: tuple[str, ...] = (
        OBEYED,
        "In shadow it refuses nothing, and its page tells what it would have refused.",
    )

    looks = "Count what it would have refused"

    def offered(self, row: Any) -> bool:  # noqa: ARG002  it begins with a kind, not with a rule
        return False

    def from_list(self, view: str) -> list[tuple[str, str]]:
        kinds = OWN_KINDS if view == self.view else {}
        return [(f"New: {kind}", f"/admin/act/{self.slug}/{key}") for key, kind in kinds.items()]

    def kind(self, key: str) -> str:
        if key not in OWN_KINDS:
            raise HTTPException(404)
        return key

    def fixed(self) -> dict[str, str]:
        """Give what the form does not ask for."""
        return {}

    async def name(self, scene: Scene, typed: Mapping[str, str]) -> str:  # noqa: ARG002  some make it
        return text_field(scene.typed, "name")

    async def facts(self, scene: Scene, typed: Mapping[str, str]) -> Sequence[tuple[str, str]]:  # noqa: ARG002  most have none
        """Give what is known of what the condition names, as lines of the page."""
        return ()

    def own_fields(self) -> tuple[Field, ...]:
        return (
            Field("name", "Name", hint="What lists and records call it."),
            Field("mode", "Begins", "choice", "shadow", options=MODES),
        )

    async def look(self, scene: Scene) -> Told:
        kind = self.kind(scene.key)
        in_force = await scene.session.scalar(
            select(func.count())
            .select_from(DecisionRule)
            .where(
                DecisionRule.kind == kind,
                DecisionRule.effective_from <= scene.now,
                (DecisionRule.effective_until.is_(None))
                | (DecisionRule.effective_until > scene.now),
            )
        )
        given = _first_choices(self.asked(kind)) | self.given(kind, scene.typed)
        return Told(
            what="Rules",
            onward=LIST,
            facts=(
                ("Kind", kind.replace("_", " ")),
                *await self.facts(scene, given),
                ("Of this kind in force", str(in_force)),
                *await would_have_refused(scene, kind, given),
            ),
            effects=self.effects,
            seen=NEW,
            fields=(*self.asked(kind), *self.own_fields()),
        )

    def asked(self, kind: str) -> tuple[Field, ...]:
        fixed = self.fixed()
        return tuple(field for field in FIELDS[kind] if field.name not in fixed)

    def given(self, kind: str, form: FormData) -> dict[str, str]:
        """Give the condition's fields that are filled, and those that no form asks for."""
        typed = {one.name: text_field(form, one.name) for one in self.asked(kind)}
        return {name: value for name, value in typed.items() if value} | self.fixed()

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:
        kind = self.kind(scene.key)
        given = self.given(kind, form)
        draft = Draft(
            condition=read_condition(kind, given, CATEGORIES),
            name=read_name(await self.name(scene, given)),
            note=why.note,
            mode=RuleMode(choice_in(form, "mode", MODES)),
            effective_from=scene.now,
        )
        row = await add_rule(scene.session, draft, actor=scene.actor, now=scene.now, code=why.code)
        return Done(f"/admin/rules/details/{row.id}")


class Stop(AddRule):
    """A stop, which refuses from now on."""

    action, grave = STOP, True
    reasons = ("incident", "fraud_suspected", "policy", "other")
    target: str
    done = "Stopped from the next purchase on. The rule's page ends it."

    def from_list(self, view: str) -> list[tuple[str, str]]:
        return [(self.title, f"/admin/act/{self.slug}/{NEW}")] if view == self.view else []

    def kind(self, key: str) -> str:
        if key != NEW:
            raise HTTPException(404)
        return "stop"

    def fixed(self) -> dict[str, str]:
        return {"target": self.target}

    async def name(self, scene: Scene, typed: Mapping[str, str]) -> str:  # noqa: ARG002  as its base
        return f"Stop: {self.target} {typed.get('value', '')}"[:LONGEST_NAME]

    def own_fields(self) -> tuple[Field, ...]:
        return (Field("mode", "Begins", "choice", "enforced", options=MODES[:1]),)


class StopAll(Stop):
    slug, title, target = "stop-all", "Stop all purchases", "all"
    effects = (
        "Every purchase of every customer is declined until the stop is ended.",
        "Captures, refunds and debts go on as before.",
        OBEYED,
    )

    def fixed(self) -> dict[str, str]:
        return {"target": "all", "value": ""}


class StopFunding(Stop):
    slug, title, target = "stop-funding", "Stop a kind of linked card", "funding"
    effects = ("No purchase is put on such a card; another linked card is tried.", OBEYED)

    def asked(self, kind: str) -> tuple[Field, ...]:  # noqa: ARG002  it is always a stop
        hint = "Brand, funding and country, each perhaps *: visa/prepaid/*"
        return (Field("value", "Kind of linked card", hint=hint),)


class BlockCategory(AddRule):
    slug, title, action, on = "block-category", "Block a category", BLOCK, ("purchases",)
    reasons = ("policy", "fraud_suspected", "incident", "other")
    effects = ("Every purchase in the category is declined, for all customers.", OBEYED)

    def from_list(self, view: str) -> list[tuple[str, str]]:
        return [(self.title, f"/admin/act/{self.slug}/{NEW}")] if view == self.view else []

    def kind(self, key: str) -> str:
        return _only_new(key, "closed_categories")

    def offered(self, row: Any) -> bool:
        return bool(row.merchant_category)

    def address(self, row: Any) -> str:
        return prefilled(self.slug, categories=row.merchant_category)

    async def name(self, scene: Scene, typed: Mapping[str, str]) -> str:  # noqa: ARG002  as its base
        return f"Closed: {typed.get('categories', '')}"[:LONGEST_NAME]

    def own_fields(self) -> tuple[Field, ...]:
        return (Field("mode", "Begins", "choice", "enforced", options=MODES),)


class BlockCountry(BlockCategory):
    slug, title = "block-country", "Block a country"
    effects = ("Every purchase at a merchant there is declined, for all customers.", OBEYED)

    def kind(self, key: str) -> str:
        return _only_new(key, "closed_countries")

    def offered(self, row: Any) -> bool:
        return bool(row.merchant_country)

    def address(self, row: Any) -> str:
        return prefilled(self.slug, countries=row.merchant_country)

    async def name(self, scene: Scene, typed: Mapping[str, str]) -> str:  # noqa: ARG002  as its base
        return f"Closed: {typed.get('countries', '')}"[:LONGEST_NAME]


def _first_choices(fields: Sequence[Field]) -> dict[str, str]:
    """Give what a form has chosen before anybody chooses."""
    return {one.name: one.options[0][0] for one in fields if one.options}


def _only_new(key: str, kind: str) -> str:
    if key != NEW:
        raise HTTPException(404)
    return kind


def prefilled(slug: str, **fields: str) -> str:
    """Give where an action is done anew, with these fields filled in."""
    return f"/admin/act/{slug}/{NEW}?{urlencode(fields)}"


NEW_RULE_ACTS: tuple[Act, ...] = (
    BlockCategory(),
    BlockCountry(),
    StopAll(),
    StopFunding(),
    AddRule(),
)
