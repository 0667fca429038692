"""Every rule of the books has words for people."""

import re
from pathlib import Path

from app.domain import issuing
from app.domain.issuing.story_words import RULES

DOMAIN = Path(issuing.__file__).parent.parent


def test_every_posting_rule_has_words() -> None:
    written = "".join(path.read_text() for path in DOMAIN.rglob("*.py"))
    rules = set(re.findall(r'\bjournal\([^"]*"([a-z_]+)"', written))
    assert "merchant_captured" in rules
    assert rules - set(RULES) == set()
