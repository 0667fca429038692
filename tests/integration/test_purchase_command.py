"""`proxycard purchase` and `proxycard decision replay`: the whole trail, and deciding again."""

import json
import re

from app.domain.issuing.decline_reasons import DeclineReason
from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.facts import Scope
from app.domain.issuing.rules import RiskScore, RuleMode, Velocity
from tests.controls import command, end, rule
from tests.product import Product
from tests.situations import helper, holder, pay, refund, take_refund_back

NO_FUNDS = "pm_card_visa_chargeDeclinedInsufficientFunds"


async def told(product: Product, *words: str) -> str:
    code, said, complained = await command(product, "purchase", *words)
    assert (code, complained) == (0, "")
    return re.sub(r"[^\S\n]+", " ", said)


async def test_the_whole_trail_of_a_purchase_is_printed(product: Product) -> None:
    ada = await holder(product, sources=(NO_FUNDS, "pm_card_mastercard"))
    await rule(product, RiskScore(at_least=10), RuleMode.SHADOW)
    bought = await pay(product, ada.card, 1999)
    await helper(product, bought["id"], "increment", increment_amount=500_000)
    await helper(product, bought["id"], "capture")
    await product.settled()

    said = await told(product, bought["id"][:16])

    for line in (
        "19.99 USD at Blue Bottle (fast food restaurants · US",
        f"Stripe's id {bought['id']}",
        "State approved, closed at Stripe",
        "Card, this day 0.00 of 1,000.00 used",
        "Linked cards visa ···· 4242 (credit, US), mastercard ···· 4444 (credit, US)",
        "passed closed categories: Gambling",
        "> would refuse risk score: A rule of the test (the card network sees a high risk",
        "Attempt 1 21.49 on visa ···· 4242, declined, the bank: insufficient funds",
        "Attempt 2 21.49 on mastercard ···· 4444, captured",
        "Stripe says approved (webhook_approved), certain since",
        "Milliseconds verify ",
        "Request 2, ",
        f"Why {EXPLANATIONS[DeclineReason.STRIPE_SPENDING_CONTROL].short}",
        "Record Stripe decided this one without asking us, so no check of ours ran.",
        "our fee 1.50 · ipi_",
        "Held 0.00, charged 21.49, given back 0.00, earned 1.50",
    ):
        assert line in said, (line, said)


async def test_a_decline_comes_with_its_words_and_next_step(product: Product) -> None:
    ada = await holder(product)
    await product.as_owner("UPDATE card SET daily_limit_minor = 1998")
    bought = await pay(product, ada.card, 1999)
    await product.settled()
    [row] = await product.rows("SELECT id FROM card_authorization")

    said = await told(product, str(row["id"]))
    everything = json.loads(await told(product, bought["id"], "--json"))

    assert "Why over the card's daily limit: the customer's setting" in said
    assert "Next step Raise the limit on the card" in said
    assert "Allow once possible" in said
    assert "> refused limits (over the card's daily limit)" in said
    assert "Linked cards none was charged" in said
    [request] = everything["requests"]
    assert request["verdicts"][-1]["verdict"] == "refused"
    assert request["facts"]["card"]["daily_limit_minor"] == 1998
    assert request["facts_in_words"]["Card, this day"] == "0.00 of 19.98 used"
    assert request["explanation"]["decided_by"] == "the customer's setting"


async def test_the_fee_that_went_back_is_told_until_it_is_ours_again(product: Product) -> None:
    name = (await pay(product, (await holder(product)).card, 100_00))["id"]
    await helper(product, name, "capture", capture_amount=120_00)
    await product.settled()
    back = await refund(product, name, 120_00)
    await product.settled()
    assert "earned 6.50, of it returned 6.50" in await told(product, name)

    await take_refund_back(product, back)
    await product.settled()
    assert (await told(product, name)).endswith("earned 6.50\n")


async def test_what_is_no_purchase_is_one_sentence(product: Product) -> None:
    ada = await holder(product)
    for _ in range(2):
        await pay(product, ada.card, 0)
    for key, sentence in {
        "iauth_nobodys": "no purchase has an id like “iauth_nobodys”\n",
        "iauth_": "several purchases have ids that begin “iauth_”\n",
    }.items():
        code, said, complained = await command(product, "purchase", key)
        assert (code, said, complained) == (2, "", sentence)


async def test_a_decision_is_made_again_by_today_s_rules(product: Product) -> None:
    ada = await holder(product)
    await rule(product, RiskScore(at_least=11))
    bought = await pay(product, ada.card, 1999)

    code, said, _ = await command(product, "decision", "replay", bought["id"])
    assert code == 0
    assert "then   approve 19.99\n  today  approve 19.99\n" in said
    assert "*" not in said

    stricter = await rule(product, RiskScore(at_least=10))
    code, said, _ = await command(product, "decision", "replay", bought["id"])
    assert code == 1
    assert "today  decline: the card network sees a high risk of fraud   <- different" in said
    assert re.search(r"\* risk score: A rule of the test +not run -> refused", said)
    assert re.search(r"\* linked cards +passed -> not run", said)

    await end(product, stricter)
    [row] = await product.rows("SELECT id FROM authorization_request")
    assert (await command(product, "decision", "replay", str(row["id"])))[0] == 0


async def test_what_was_not_counted_then_is_counted_for_the_replay(product: Product) -> None:
    ada = await holder(product)
    first, second = [await pay(product, ada.card, 1999) for _ in range(2)]
    await rule(product, Velocity(Scope.CARD, 77, purchases=1))

    codes = [
        (await command(product, "decision", "replay", one["id"]))[0] for one in (first, second)
    ]

    assert codes == [0, 1]


async def test_what_has_no_record_cannot_be_decided_again_and_says_so(product: Product) -> None:
    ada = await holder(product)
    path = f"/v1/issuing/cards/{ada.card.stripe_card_id}"
    await product.call("POST", path, status="inactive")
    bought = await pay(product, ada.card, 1999)
    await product.settled()

    code, said, _ = await command(product, "decision", "replay", bought["id"])

    assert code == 2
    assert "Stripe decided this one without asking us, so no check of ours ran." in said
