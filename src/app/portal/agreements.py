"""The texts that a customer accepts: the terms, and what purchases cost by the price in force."""

from pathlib import Path

from app.domain.funding.models import PricePlan
from app.domain.funding.plans import price_of
from app.domain.identity.onboarding import Text
from app.money import readable

TERMS_VERSION = "2026-11"
_FOLDER = Path(__file__).with_name("agreements")
_EXAMPLES = (1_000, 10_000, 50_000)


def terms() -> Text:
    """Give the terms of use. A change is a new file with a new version."""
    return Text("terms", TERMS_VERSION, (_FOLDER / f"terms-{TERMS_VERSION}.txt").read_text())


def fees(plan: PricePlan) -> Text:
    """Say what purchases cost under a price plan."""
    price, currency = price_of(plan), plan.currency.upper()
    percent = f"{plan.percent_bps / 100:g} %"
    least = f", {readable(plan.minimum_minor)} {currency} at least" if plan.minimum_minor else ""
    examples = "\n".join(
        f"A purchase of {readable(minor)} {currency} costs you"
        f" {readable(minor + price.fee(minor))} {currency}: {readable(price.fee(minor))}"
        f" {currency} of it is our fee."
        for minor in _EXAMPLES
    )
    text = (
        "## What a purchase costs\n"
        f"Our fee is {percent} of the amount and {readable(plan.fixed_minor)} {currency}{least},"
        " rounded to the cent. It is charged to your linked card together with the purchase.\n\n"
        f"{examples}\n\n"
        "## What is free\n"
        "Opening an account, linking a card, opening, freezing and closing virtual cards, and every"
        " purchase that is declined or released.\n\n"
        "## Refunds\n"
        "When a merchant gives money back, it goes to your linked card. "
        + _REFUNDS[plan.refund_fee_policy.value]
        + "\n"
    )
    return Text("fees", f"{plan.effective_from:%Y-%m-%d}", text)


def consent(plan: PricePlan) -> Text:
    """Say what somebody agrees to who links a card, under the price plan in force."""
    price = f"{plan.percent_bps / 100:g} % and {readable(plan.fixed_minor)}"
    price += f" {plan.currency.upper()}"
    text = (
        "I allow Proxycard to charge the card that I link, without asking me each time, for every"
        " purchase that is approved on my virtual cards: the amount the merchant takes and the fee"
        f" of {price}. When a merchant takes more than was approved, such as a tip, the difference"
        " is charged too. The card is mine. I can remove it at any time; purchases made before are"
        " still charged."
    )
    return Text("consent", f"{plan.effective_from:%Y-%m-%d}", text)


_REFUNDS = {
    "proportional": "Our fee comes back in the same proportion.",
    "kept": "Our fee is not refunded.",
}


def paragraphs(text: str) -> list[tuple[str, str]]:
    """Split a text for a page: pairs of what a part is, `heading` or `text`, and its words."""
    lines = (line.strip() for line in text.splitlines())
    return [
        ("heading", line.removeprefix("## ")) if line.startswith("## ") else ("text", line)
        for line in lines
        if line
    ]
