"""What staff do about a rule there is: promote it, put it in shadow, end it."""

from datetime import timedelta
from typing import Any

from starlette.datastructures import FormData

from app.admin.pages.actions.act import Act, Done, Scene, Told, seen_in
from app.admin.pages.actions.rules import OBEYED
from app.admin.permissions import CHANGE, PROMOTE
from app.domain.identity.reasons import Reason
from app.domain.issuing.rule_book import end_rule, find_rule, rule_of, set_mode
from app.domain.issuing.rule_lines import report_lines
from app.domain.issuing.rule_words import condition_in_words, life_in_words
from app.domain.issuing.rules import RuleMode
from app.domain.issuing.shadow import report_on
from app.domain.marks import mark

REPORTED = timedelta(days=7)


class RuleChange(Act):
    """What the changes of a rule share: what it refuses, and what it would have."""

    view = "rules"
    reasons = ("policy", "fraud_suspected", "incident", "incident_over", "other")
    effects: tuple[str, ...]
    begins: frozenset[RuleMode] = frozenset(RuleMode)

    def offered(self, row: Any) -> bool:
        return row.effective_until is None and row.mode in self.begins

    async def look(self, scene: Scene) -> Told:
        row = await find_rule(scene.session, str(scene.id))
        rule = rule_of(row)
        report = await report_on(scene.session, rule, scene.now - REPORTED)
        ended = row.effective_until is not None and row.effective_until <= scene.now
        refused = "The rule has ended." if ended else ""
        if row.mode not in self.begins:
            refused = f"The rule is {life_in_words(rule, scene.now)}."
        return Told(
            what=row.name,
            onward=f"/admin/rules/details/{row.id}",
            facts=(
                ("Refuses", condition_in_words(rule.condition)),
                ("Now", life_in_words(rule, scene.now)),
                ("The last seven days", "; ".join(map(str.strip, report_lines(report)))),
            ),
            effects=self.effects,
            seen=mark(row),
            refused=refused,
        )


class SetMode(RuleChange):
    """Refusing, or only watching."""

    action = PROMOTE
    mode: RuleMode

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:
        row = await set_mode(
            scene.session,
            str(scene.id),
            self.mode,
            actor=scene.actor,
            now=scene.now,
            reason=why.note,
            code=why.code,
            seen=seen_in(form),
        )
        return Done(f"/admin/rules/details/{row.id}")


class Promote(SetMode):
    slug, title, mode = "promote-rule", "Promote: let it refuse", RuleMode.ENFORCED
    begins = frozenset({RuleMode.SHADOW})
    done = "The rule refuses from the next purchase on."
    effects = ("The rule refuses what it only watched so far.", OBEYED)


class Shadow(SetMode):
    slug, title, mode = "shadow-rule", "Put in shadow", RuleMode.SHADOW
    begins = frozenset({RuleMode.ENFORCED})
    done = "The rule is in shadow: it watches and refuses nothing."
    effects = ("The rule refuses nothing any more; what it would refuse is recorded.", OBEYED)


class EndRule(RuleChange):
    slug, title, action, grave = "end-rule", "End the rule", CHANGE, True
    done = "The rule has ended."
    effects = (
        "The rule neither refuses nor watches any more. It stays on the record.",
        "It cannot begin again: add a new rule instead.",
        OBEYED,
    )

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:
        row = await end_rule(
            scene.session,
            str(scene.id),
            actor=scene.actor,
            now=scene.now,
            reason=why.note,
            code=why.code,
            seen=seen_in(form),
        )
        return Done(f"/admin/rules/details/{row.id}")


RULE_ACTS: tuple[Act, ...] = (Promote(), Shadow(), EndRule())
