"""What staff do about a difference with Stripe: say what it was."""

from datetime import UTC, datetime
from typing import Any

from starlette.datastructures import FormData

from app.admin.pages.actions.act import Act, Done, Scene, Told, seen_in
from app.admin.permissions import RESOLVE
from app.admin.wording import NOTHING, amount, moment, words
from app.domain.identity.reasons import Reason
from app.domain.issuing.difference_models import DifferenceState, ReconciliationDifference
from app.domain.issuing.differences import resolve
from app.domain.marks import mark


class ResolveDifference(Act):
    slug, title = "resolve-difference", "Resolve it"
    view, action = "differences", RESOLVE
    done = "The difference is resolved."
    reasons = ("our_mistake", "incident", "paid_otherwise", "policy", "other")

    def offered(self, row: Any) -> bool:
        return row.state is DifferenceState.OPEN

    async def look(self, scene: Scene) -> Told:
        row: ReconciliationDifference = await scene.found(ReconciliationDifference)
        return Told(
            what=f"{row.kind.capitalize()}: {row.what}",
            onward=f"/admin/differences/details/{row.id}",
            facts=(
                ("Which", row.name),
                ("Here", amount(row.ours_minor, row.currency)),
                ("At Stripe", amount(row.theirs_minor, row.currency)),
                ("First seen", moment(row.first_seen_at, scene.zone)),
                ("Last seen", moment(row.last_seen_at, scene.zone)),
                ("What is known", row.note or NOTHING),
            ),
            effects=(
                "No amount changes, here or at Stripe: say in the note what it was.",
                "It is not counted as unexplained any more, while it stays as it is.",
                "Should other amounts be found, it is open again.",
            ),
            seen=mark(row),
            refused="" if self.offered(row) else f"The difference is {words(row.state)}.",
        )

    async def do(self, scene: Scene, form: FormData, why: Reason) -> Done:
        row = await resolve(
            scene.session,
            scene.id,
            actor=scene.actor,
            why=why,
            now=datetime.now(UTC),
            seen=seen_in(form),
        )
        return Done(f"/admin/differences/details/{row.id}")


DIFFERENCE_ACTS: tuple[Act, ...] = (ResolveDifference(),)
