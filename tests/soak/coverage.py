"""What histories have done and reached: reasons for declines, posting rules, moves of states."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import app.domain
from app.domain.funding.states import (
    CHARGE_MOVES,
    FUNDING_SOURCE_MOVES,
    RECEIVABLE_MOVES,
    REFUND_MOVES,
)
from app.domain.identity.states import APPROVAL_MOVES
from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.states import AUTHORIZATION_MOVES, CARD_MOVES, REQUEST_MOVES
from app.domain.states import Moves
from tests.product import Product
from tests.soak.acts import ACTS
from tests.soak.counted import RULES
from tests.soak.out_of_reach import MOVES_OUT_OF_REACH, REASONS_OUT_OF_REACH, RULES_OUT_OF_REACH

TABLES: Mapping[str, Moves] = {  # type: ignore[type-arg]
    "card": CARD_MOVES,
    "card_authorization": AUTHORIZATION_MOVES,
    "authorization_request": REQUEST_MOVES,
    "charge": CHARGE_MOVES,
    "refund": REFUND_MOVES,
    "receivable": RECEIVABLE_MOVES,
    "funding_source": FUNDING_SOURCE_MOVES,
    "approval": APPROVAL_MOVES,
}
SEEN = {
    "move": (
        "SELECT kind || ': ' || before || ' -> ' || after AS name, count(*) AS times"
        " FROM state_edge GROUP BY 1"
    ),
    "posting rule": "SELECT rule AS name, count(*) AS times FROM journal GROUP BY rule",
    "decline": (
        "SELECT reason AS name, count(*) AS times FROM authorization_request"
        " WHERE reason IS NOT NULL GROUP BY reason"
    ),
}
RULE_NAME = re.compile(r'journal\(\s*[^"()]*(?:\([^()]*\)[^"()]*)*"(\w+)"')


class Coverage:
    """Counts by kind and name, over every product it has taken them from."""

    def __init__(self, seen: Mapping[str, int] | None = None) -> None:
        self.seen: Counter[str] = Counter(seen or {})

    async def take(self, product: Product) -> None:
        for kind, statement in SEEN.items():
            for row in await product.rows(statement):
                self.seen[f"{kind} · {row['name']}"] += row["times"]

    def never(self) -> list[str]:
        """What could have been reached and was not."""
        excused = {name for name, _ in _excused()}
        return [name for name in _wanted() if not self.seen[name] and name not in excused]

    def illegal(self) -> list[str]:
        """Moves that no table allows."""
        wanted = set(_wanted())
        return [name for name in self.seen if name.startswith("move") and name not in wanted]

    def table(self) -> str:
        excused = dict(_excused())
        names = dict.fromkeys([*_wanted(), *sorted(self.seen)])
        lines = [
            f"{self.seen[name]:8}  {name}" + (f"  ({excused[name]})" if name in excused else "")
            for name in names
        ]
        return "\n".join(["", "   times  what", *lines])


def posting_rules() -> list[str]:
    """Every name that the domain gives to a rule of the books, in the order of its source."""
    folder = Path(app.domain.__path__[0])
    files = sorted(folder.rglob("*.py"))
    return list(dict.fromkeys(n for file in files for n in RULE_NAME.findall(file.read_text())))


def _wanted() -> Iterator[str]:
    yield from RULES
    yield from (f"act · {act}" for act in ACTS)
    yield from (f"decline · {reason}" for reason in DeclineReason)
    yield from (f"posting rule · {rule}" for rule in posting_rules())
    for table, moves in TABLES.items():
        for before, afters in moves.items():
            yield from (f"move · {table}: {before} -> {after}" for after in sorted(afters))


def _excused() -> Iterator[tuple[str, str]]:
    yield from ((f"decline · {name}", why) for name, why in REASONS_OUT_OF_REACH.items())
    yield from ((f"posting rule · {name}", why) for name, why in RULES_OUT_OF_REACH.items())
    yield from ((f"move · {name}", why) for name, why in MOVES_OUT_OF_REACH.items())
