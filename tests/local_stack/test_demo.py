"""The demo: what it tells, the verdict at its end, and planted mistakes that it finds."""

from typing import Any

import pytest

from local_stack.demo import conclude, tell
from local_stack.demo_scene import Scene, make_scene
from local_stack.demo_verdict import judge
from local_stack.merchant import Controls
from local_stack.refusal import FAILED
from tests.oracle import oracle
from tests.product import Product

# One for each request; of the eight purchases one is asked about twice, and one repeats another's.
ROWS = [
    ("Blue Bottle", "19.99", "approved", "21.49"),
    ("Blue Bottle", "42.00", "declined", "none"),
    ("The Tipsy Pig", "35.00", "declined", "none"),
    ("Netflix", "0.00", "approved", "none"),
    ("Yellow Cab", "30.00", "approved", "32.00"),
    ("Yellow Cab", "10.00", "approved", "10.50"),
    ("Blue Bottle", "55.00", "declined", "none"),
    ("Blue Bottle", "24.00", "approved", "none"),
]


def authorization(answers: str, status: str = "pending") -> dict[str, Any]:
    """Give an authorization with a request for each letter: y was approved, n was not."""
    return {
        "id": "a",
        "status": status,
        "merchant_data": {"name": "Blue Bottle"},
        "request_history": [{"approved": a == "y", "amount": 1999} for a in answers],
    }


def intent(
    status: str, received: int = 0, back: int = 0, request: str = "0", **named: str
) -> dict[str, Any]:
    return {
        "id": f"pi_{status}",
        "status": status,
        "amount": 2149,
        "amount_received": received,
        "metadata": {"authorization": "a", "request": request} | named,
        "latest_charge": {
            "amount": 2149,
            "amount_captured": received,
            "amount_refunded": 2149 - received + back,
        },
    }


HELD, RELEASED = intent("requires_capture"), intent("canceled")
HELD_TOO = intent("requires_capture", request="1")
CAPTURED, REFUNDED = intent("succeeded", 1100), intent("succeeded", 2149, 2149)


class TestVerdict:
    @pytest.mark.parametrize(
        ("purchases", "charges"),
        [
            ([authorization("y")], [HELD]),
            ([authorization("y")], [CAPTURED]),
            ([authorization("y")], [HELD, RELEASED]),
            ([authorization("yy")], [HELD, HELD_TOO]),
            ([authorization("yn")], [HELD]),
            ([authorization("n")], [RELEASED]),
            ([authorization("y", status="reversed")], [RELEASED]),
            ([authorization("y", status="reversed")], [REFUNDED]),
        ],
    )
    def test_is_true_of_what_should_be(
        self, purchases: list[dict[str, Any]], charges: list[dict[str, Any]]
    ) -> None:
        assert judge(purchases, charges).true

    @pytest.mark.parametrize(
        ("purchases", "charges"),
        [
            ([authorization("y")], []),
            ([authorization("y")], [HELD, HELD]),
            ([authorization("y")], [REFUNDED]),
            ([authorization("yy")], [HELD, HELD]),
            ([authorization("yn")], [HELD, HELD_TOO]),
            ([authorization("n")], [HELD]),
            ([authorization("n")], [CAPTURED]),
            ([authorization("y", status="expired")], [HELD]),
            ([authorization("y")], [HELD, intent("requires_capture", authorization="b")]),
            ([], [HELD]),
        ],
    )
    def test_is_not_true_of_anything_else(
        self, purchases: list[dict[str, Any]], charges: list[dict[str, Any]]
    ) -> None:
        assert not judge(purchases, charges).true


@pytest.mark.hurried
class TestDemo:
    @pytest.mark.parametrize("product_settings", [{"REPAIR_WAIT_SECONDS": "3"}])
    async def test_tells_eight_purchases_and_is_true(
        self, product: Product, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code = await tell(product.parts)

        told = capsys.readouterr().out
        assert code == 0, told
        story, _, table = told.partition("What Stripe lists")
        for said in (
            "held 21.49 on visa 4242, 1.50 of it our fee",
            "bank: insufficient funds",
            "category not allowed",
            "lists 1 charge for it before, and 1 after",
            "notes webhook_declined: our answer came in time",
            "held 58.25 on visa 4242 after ",
            "found and released it after",
            "released the 25.70",
        ):
            assert said in story
        rows = [" ".join(line.split()) for line in table.splitlines()]
        for (merchant, asked, answer, live), row in zip(ROWS, rows[2:], strict=False):
            assert row.startswith(f"{merchant} {asked} {answer} "), row
            assert f" {live} " in row, row
        for said in (
            "charged 25.69 to the linked card, 1.70 of it our fee",
            "gave 5.35 back to the linked card, 0.35 of it our fee",
            "earned 1.35 gross, cost 1.34, net 0.01",
        ):
            assert said in told
        assert told.count("in our books  ok") == 2
        await oracle(product)

    @pytest.mark.long
    @pytest.mark.parametrize(
        "product_settings", [{"FUNDING_MODE": "charge", "REPAIR_WAIT_SECONDS": "3"}]
    )
    async def test_is_true_as_well_where_purchases_are_charged_at_once(
        self, product: Product, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code = await tell(product.parts)

        told = capsys.readouterr().out
        assert code == 0, told
        for said in ("charged 21.49 on visa 4242", "found and refunded it", "refunded the 25.70"):
            assert said in told


async def planted(product: Product, scene: Scene, **named: str) -> str:
    """Put a hold on the demo's linked card that no purchase asked for."""
    made = await product.call(
        "POST",
        "/v1/payment_intents",
        amount=2149,
        currency="usd",
        customer=scene.stripe_customer_id,
        payment_method=scene.payment_method,
        confirm="true",
        off_session="true",
        capture_method="manual",
        **named,
    )
    assert made["status"] == "requires_capture"
    return str(made["id"])


async def test_a_stray_charge_makes_it_fail(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = await make_scene(product.parts)
    await scene.merchants.pay(scene.everyday.stripe_card_id, 1999, "Blue Bottle")
    assert await conclude(scene) == 0

    stray = await planted(product, scene)

    assert await conclude(scene) == FAILED
    assert f"{stray} is live and belongs to none of these" in capsys.readouterr().out


async def test_a_second_charge_makes_it_fail(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = await make_scene(product.parts)
    paid = await scene.merchants.pay(scene.everyday.stripe_card_id, 1999, "Blue Bottle")
    named = {"metadata[authorization]": paid["id"], "metadata[request]": "0"}
    await scene.until_certain()

    await planted(product, scene, **named)

    assert await conclude(scene) == FAILED
    told = capsys.readouterr().out
    assert "21.49 + 21.49" in told
    assert "WRONG" in told


async def test_what_somebody_has_set_is_put_aside_and_put_back(product: Product) -> None:
    fault = {"method": "POST", "path": "/v1/payment_intents", "action": "hang", "times": 2}
    await product.control("faults", fault)
    await product.control("settings", {"latency_ms": 3})
    controls = Controls(product.settings.stripe_api_base)

    async with controls.undisturbed():
        assert (await controls.call("GET", "faults"))["data"] == []
        assert (await controls.call("GET", "settings"))["latency_ms"] == 0
        await controls.call("POST", "faults", fault | {"times": 1})

    [kept] = (await controls.call("GET", "faults"))["data"]
    assert (kept["action"], kept["times"]) == ("hang", 2)
    assert (await controls.call("GET", "settings"))["latency_ms"] == 3
