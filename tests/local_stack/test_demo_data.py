"""The demo data: something on every list, and nothing more after a second or a halved load."""

import msgspec
import pytest

from app.adapters.stripe_people import StripePeople
from app.admin.catalogue import VIEWS
from app.admin.views.differences import DifferenceList
from app.admin.views.mails import MailList
from app.admin.views.system import JobList
from app.domain.identity.audit import SYSTEM
from app.domain.identity.customers import enrol
from app.domain.identity.states import Role
from app.domain.issuing.cards import issue
from local_stack.demo_data import fill, load
from local_stack.demo_enrolling import link_test_card
from local_stack.demo_people import CUSTOMERS, MAYA
from local_stack.merchant import Merchants
from local_stack.refusal import Refusal
from tests.back_office import browser
from tests.oracle import oracle
from tests.portal import browser as portal_browser
from tests.portal import send
from tests.product import Product
from tests.situations import unlinked_refund

OWNED = [card for customer in CUSTOMERS for card in customer.cards]
MADE = {
    "staff": len(Role),
    "customer": len(CUSTOMERS),
    "funding_source": sum(len(customer.sources) for customer in CUSTOMERS),
    "card": len(OWNED),
    "card_authorization": sum(len(card.bought) for card in OWNED),
}
REASONS = {
    "bank_insufficient_funds",
    "bank_card_expired",
    "bank_authentication_required",
    "category_not_allowed",
    "country_not_allowed",
    "locked_to_merchant",
    "single_use_spent",
    "card_frozen",
    "stripe_spending_controls",  # the daily limit, which Stripe looks at before it asks us
}


async def made(product: Product) -> dict[str, int]:
    """Count what is in each table, once all has arrived there."""
    await product.settled()
    counted = [await product.rows(f"SELECT count(*) FROM {table}") for table in MADE]  # noqa: S608  our own names
    return {table: rows[0]["count"] for table, rows in zip(MADE, counted, strict=True)}


async def test_every_list_and_the_home_show_something(product: Product) -> None:
    await fill(product.parts)
    await product.settled()

    reasons = await product.rows("SELECT DISTINCT reason FROM authorization_request")
    # A busy machine leaves no time for a second linked card: then the first one's no is the reason.
    assert {row["reason"] for row in reasons} - {"bank_declined"} == {None, *REASONS}
    async with browser(product) as client:
        owner = {"email": "owner@example.com"}
        assert (await client.post("/admin/login/demo", data=owner)).status_code == 303
        home = await client.get("/admin/declines")
        pages = {
            view.identity: await client.get(f"/admin/{view.identity}/list")
            for view in VIEWS
            # Empty as soon as all work is done, until somebody is written to, and where all agrees.
            if view not in {JobList, MailList, DifferenceList}
        }
    assert "Harvard Coop" in home.text
    assert {name for name, page in pages.items() if 'class="row-link"' not in page.text} == set()
    [owed] = await product.rows(
        "SELECT p.stripe_authorization_id AS purchase FROM receivable AS r"
        " JOIN card_authorization AS p ON p.id = r.purchase_id"
    )
    await oracle(product, owed=[owed["purchase"]])


async def test_a_second_load_makes_nothing_more(product: Product) -> None:
    await load(product.settings)
    assert await made(product) == MADE

    await load(product.settings)

    assert await made(product) == MADE


async def test_a_load_that_was_interrupted_is_finished_by_the_next(product: Product) -> None:
    parts, everyday = product.parts, MAYA.cards[0]
    people = StripePeople(parts.stripe.other, parts.network)
    now = parts.clock.now()
    maya = await enrol(parts.sessions, people, MAYA.profile.person(now), SYSTEM, now=now)
    await link_test_card(parts, maya, MAYA.sources[0])
    card = await issue(
        parts.sessions,
        parts.network,
        maya.id,
        everyday.nickname,
        everyday.controls,
        actor=SYSTEM,
    )
    merchants = Merchants(parts.stripe.other)
    await merchants.pay(card.stripe_card_id, 1999, "Blue Bottle")
    # What somebody who looks around does meanwhile takes the place of none.
    await merchants.pay(card.stripe_card_id, 333, "Blue Bottle")
    await unlinked_refund(product, card, 100)

    await fill(parts)

    assert await made(product) == MADE | {"card_authorization": MADE["card_authorization"] + 1}


async def test_nothing_is_made_where_money_could_be_real(product: Product) -> None:
    real = msgspec.structs.replace(product.settings, stripe_api_base="https://api.stripe.com")

    with pytest.raises(Refusal, match="Demo data wants the offline Stripe"):
        await load(real)

    assert await made(product) == dict.fromkeys(MADE, 0)


async def test_the_first_customer_signs_in_to_the_portal_by_one_click(product: Product) -> None:
    await fill(product.parts)
    await product.settled()
    async with portal_browser(product) as client:
        entered = await send(client, "/sign-in/demo", {}, opened="/sign-in")
        assert entered.headers["location"] == "/dashboard"
        page = await client.get("/dashboard")
    assert "Hello, Maya" in page.text
    assert "Zuni Cafe" in page.text
