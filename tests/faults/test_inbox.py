"""Stored events are acted on in the end, and what cannot be done is shown and can be run again."""

from typing import Any

from app.webhooks.inbox import MOST_ATTEMPTS, run_again
from tests.faults.arming import arm, fired
from tests.oracle import kept_by_purchase, oracle
from tests.product import Product
from tests.situations import helper, holder, pay
from tests.waiting import until

AUTHORIZATION = "/v1/issuing/authorizations/{authorization}"
ENDED_BADLY = "SELECT 1 FROM pgqueuer WHERE status = 'failed' OR attempts > 0"
REFUSE_CHANGES = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'refused'; END$$;
CREATE TRIGGER refuse BEFORE UPDATE ON inbound_event FOR EACH ROW EXECUTE FUNCTION refuse();
"""
REFUSE_TO_COME_AGAIN = """
CREATE TRIGGER refuse BEFORE UPDATE ON pgqueuer FOR EACH ROW
WHEN (OLD.status = 'picked' AND NEW.status = 'queued') EXECUTE FUNCTION refuse();
"""
HELD = "SELECT 1 FROM pgqueuer WHERE status = 'failed'"


async def about(product: Product, name: str) -> list[dict[str, Any]]:
    return await product.rows(
        "SELECT stripe_event_id, state, attempts, failure FROM inbound_event"
        " WHERE object_id = :name ORDER BY created_at",
        name=name,
    )


async def failed_at(product: Product, name: str, attempts: int) -> bool:
    return any(event["attempts"] >= attempts for event in await about(product, name))


class TestAnEventThatCannotBeActedOn:
    async def test_is_tried_again_after_a_while(self, product: Product) -> None:
        ada = await holder(product)
        await arm(product, "status", AUTHORIZATION, method="GET", status=403)

        bought = await pay(product, ada.card, 1999)
        await until(lambda: failed_at(product, bought["id"], 1), why="the first attempt has failed")
        [waiting] = await about(product, bought["id"])

        assert waiting["state"] == "received"
        assert waiting["failure"].startswith("PermissionError")
        await oracle(product)
        assert await fired(product) == [1]
        [done] = await about(product, bought["id"])
        assert (done["state"], done["attempts"], done["failure"]) == ("done", 1, None)

    async def test_waits_for_a_person_after_the_last_attempt(self, product: Product) -> None:
        ada = await holder(product)
        bought = await pay(product, ada.card, 1999)
        await product.settled()
        await arm(product, "status", AUTHORIZATION, method="GET", status=403, times=None)
        await helper(product, bought["id"], "capture")
        await until(lambda: both(product, "attempts = 1"), why="the first attempts have failed")
        last_but_one = f"UPDATE inbound_event SET attempts = {MOST_ATTEMPTS - 1}"  # noqa: S608
        await product.as_owner(f"{last_but_one} WHERE attempts > 0")
        await until(lambda: both(product, "state = 'failed'"), why="the last ones have failed too")

        failed = await product.rows("SELECT * FROM inbound_event WHERE state = 'failed'")
        assert all(event["failure"].startswith("PermissionError") for event in failed)

        await product.stripe.delete("/_sandbox/faults")
        async with product.parts.sessions.begin() as session:
            for event in failed:
                await run_again(session, event["stripe_event_id"])
        await oracle(product)
        assert await kept_by_purchase(product) == {bought["id"]: 2149}

    async def test_is_not_forgotten_when_its_outcome_cannot_be_written_down(
        self, product: Product
    ) -> None:
        ada = await holder(product)
        bought = await pay(product, ada.card, 1999)
        await product.settled()
        await product.as_owner(REFUSE_CHANGES)

        await helper(product, bought["id"], "capture")
        await until(lambda: some(product, ENDED_BADLY), why="not even the outcome can be noted")
        await product.as_owner("DROP TRIGGER refuse ON inbound_event")

        await oracle(product)
        assert await kept_by_purchase(product) == {bought["id"]: 2149}

    async def test_goes_on_by_itself_when_the_queue_had_to_hold_its_job(
        self, product: Product
    ) -> None:
        ada = await holder(product)
        bought = await pay(product, ada.card, 1999)
        await product.settled()
        await product.as_owner(REFUSE_CHANGES + REFUSE_TO_COME_AGAIN)

        await helper(product, bought["id"], "capture")
        await until(lambda: some(product, HELD), why="the queue holds the job")
        await product.as_owner("DROP FUNCTION refuse CASCADE")

        await oracle(product)
        assert await kept_by_purchase(product) == {bought["id"]: 2149}
        assert await product.rows(HELD) == []


async def both(product: Product, condition: str) -> bool:
    """Whether the transaction's event and the authorization's are where a condition says."""
    found = await product.rows(f"SELECT 1 FROM inbound_event WHERE {condition}")  # noqa: S608
    return len(found) == 2


async def some(product: Product, statement: str) -> bool:
    return bool(await product.rows(statement))
