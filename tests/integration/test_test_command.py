"""`proxycard test`: the merchant played in a terminal."""

import re

from tests.controls import command
from tests.product import Product
from tests.situations import holder


async def test_a_purchase_is_played_to_its_end(product: Product) -> None:
    ada = await holder(product)
    card = ada.card.stripe_card_id

    code, said, complained = await command(product, "test", "pay", card, "19.99")
    assert (code, complained) == (0, "")
    assert "19.99 at Blue Bottle, pending" in said
    assert "linked card: held 21.49, charged 0.00" in said
    found = re.search(r"iauth_\w+", said)
    assert found

    code, said, _ = await command(product, "test", "capture", found[0], "24")
    assert code == 0
    sums = "captured 24.00, refunded 0.00, net charged 25.70, net fee earned 1.70, owed 0.00"
    assert sums in said
    assert re.search(r"2000 Customer funds \(clearing\) +posted +0\.00\n", said)

    for words, sentence in {
        ("refund", found[0], "nine"): "“nine” is not an amount like 19.99",
        ("capture", found[0]): "This cannot be done now: the purchase is closed.",
    }.items():
        code, said, complained = await command(product, "test", *words)
        assert (code, said, complained) == (2, "", f"{sentence}\n")


async def test_a_card_is_charged_without_asking_and_the_time_moved_on(product: Product) -> None:
    ada = await holder(product)
    code, said, _ = await command(product, "test", "force-capture", str(ada.card.id), "12.00")
    assert code == 0
    assert "12.00 at Blue Bottle, forced capture" in said
    assert "net charged 13.10, net fee earned 1.10" in said
    code, said, complained = await command(product, "test", "move-clock", "2")
    assert (code, complained) == (0, "")
    assert said.startswith("It is 20")
