"""No line of ours asks for a card's number or takes one; and none forbids pasting."""

import re
from pathlib import Path

APP = Path(__file__).parents[2] / "src" / "app"
ASKS = re.compile(r"""["']([\w.]+\.)?(number|cvc)["']""")
FIELD = re.compile(
    r"""(name|autocomplete)=["'](cc-|card.?number|number|pan|cvc|cvv|csc)""", re.IGNORECASE
)


def sources(*endings: str) -> list[Path]:
    return [file for file in APP.rglob("*") if file.suffix in endings]


def test_stripe_is_never_asked_for_a_number() -> None:
    for file in (APP / "adapters").glob("*.py"):
        assert not ASKS.search(file.read_text()), file


def test_no_field_of_ours_takes_a_number() -> None:
    for file in sources(".html", ".js"):
        assert not FIELD.search(file.read_text()), file


def test_nothing_keeps_anybody_from_pasting() -> None:
    for file in sources(".html", ".js"):
        assert "paste" not in file.read_text().lower(), file
