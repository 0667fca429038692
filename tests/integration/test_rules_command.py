"""`proxycard rules`, `stop`, `resume` and `allow-once`, beside a product that runs."""

import asyncio
import re

from tests.controls import command
from tests.faults.arming import reason_of
from tests.product import Product
from tests.situations import holder, pay

ADD = ("rules", "add", "risk_score", "at_least=10", "--name", "Risky", "--note", "a bad week")
TRAIL = "SELECT action, actor_kind, reason FROM audit_entry WHERE subject_kind = :kind ORDER BY id"
KEPT = "SELECT count(*) AS rules FROM decision_rule"


def id_in(said: str) -> str:
    found = re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", said)
    assert found, said
    return found[0]


async def succeeds(product: Product, *words: str) -> str:
    code, said, complained = await command(product, *words)
    assert (code, complained) == (0, ""), (words, complained)
    return said


async def test_a_rule_goes_from_shadow_to_force_to_its_end(product: Product) -> None:
    ada = await holder(product)
    said = await succeeds(product, *ADD, "--shadow")
    key = id_in(said)
    assert "Risky (in shadow)" in said
    assert "Refuses  what the card network scores 10 or higher" in said
    found = [await reason_of(product, (await pay(product, ada.card, 1999))["id"])]
    listed = await succeeds(product, "rules", "list")
    assert f"{key}  in shadow Risky: refuses what the card network scores 10" in listed
    assert "enforced  Gambling: refuses merchants of these kinds" in listed

    report = await succeeds(product, "rules", "report", key)
    assert "would have refused 1 (19.99 in all, our fee 1.50) that was approved" in report
    assert "19.99 at Blue Bottle: the card network sees a high risk of fraud" in report
    assert "“Risky” refuses" in await succeeds(product, "rules", "enforce", key[:-6])
    found.append(await reason_of(product, (await pay(product, ada.card, 1999))["id"]))
    await succeeds(product, "rules", "end", key, "--note", "over")
    found.append(await reason_of(product, (await pay(product, ada.card, 1999))["id"]))

    assert found == [None, "risk_score_too_high", None]
    assert key not in await succeeds(product, "rules", "list")
    assert key in await succeeds(product, "rules", "list", "--all")
    shown = await succeeds(product, "rules", "show", key)
    for change in ("rule.add by cli: a bad week", "rule.enforce by cli", "rule.end by cli: over"):
        assert change in shown
    assert len(await product.rows(TRAIL, kind="decision_rule")) == 3


async def test_a_stop_is_set_and_ended_in_a_word(product: Product) -> None:
    ada = await holder(product)
    for reason, words in {
        "stopped_all": ("all",),
        "stopped_card": ("card", ada.card.stripe_card_id),
    }.items():
        said = await succeeds(product, "stop", *words, "--note", "they called")
        bought = await pay(product, ada.card, 1999)
        assert await reason_of(product, bought["id"]) == reason
        await succeeds(product, "resume", id_in(said))
        assert (await pay(product, ada.card, 1999))["approved"] is True


async def test_a_declined_purchase_is_allowed_once(product: Product) -> None:
    ada = await holder(product)
    await succeeds(product, *ADD)
    bought = await pay(product, ada.card, 1999)

    said = await succeeds(product, "allow-once", bought["id"], "--note", "it was her")

    assert re.search(r"may pay up to 19.99 at Blue Bottle once, until [\d-]+ [\d:]+ UTC\.", said)
    again = [(await pay(product, ada.card, 1999))["approved"] for _ in range(2)]
    assert again == [True, False]
    [entry] = await product.rows(TRAIL, kind="card_authorization")
    assert entry == {"action": "purchase.allow_once", "actor_kind": "cli", "reason": "it was her"}


async def refused(product: Product, sentence: str, *words: str) -> None:
    code, said, complained = await command(product, *words)
    assert (code, said) == (2, ""), (words, said, complained)
    assert sentence in complained
    assert len(complained.splitlines()) == 1


NAMED = ("--name", "A rule", "--note", "why")
REFUSED = {
    "kind: “fraud” is none of": ("rules", "add", "fraud", *NAMED),
    "categories: “shoes” is no category of Stripe's": (
        *("rules", "backtest", "closed_categories", "group=other", "categories=shoes"),
    ),
    "from: “soon” is not a time": (*ADD, "--from", "soon"),
    "value: is text in which * stands for anything": ("stop", "merchant", "a.*b", "--note", "why"),
    "value: no card has the id “ic_no”": ("stop", "card", "ic_no", "--note", "why"),
    "kind: give either a kind": ("rules", "backtest"),
    "note: is empty": ("allow-once", "iauth_nobodys", "--note", ""),
}


async def test_what_is_wrong_is_one_sentence_and_changes_nothing(product: Product) -> None:
    before = await product.rows(KEPT)
    await asyncio.gather(
        *(refused(product, sentence, *words) for sentence, words in REFUSED.items())
    )
    assert await product.rows(KEPT) == before
    assert await product.rows(TRAIL, kind="decision_rule") == []
