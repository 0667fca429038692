"""The pages are crowded and long files are written: purchases are answered by a process apart."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle
from pathlib import Path

import httpx

from app.domain.identity.states import Role
from tests.back_office import signed_in
from tests.crashes.processes import PROXYCARD, Running, ready, start, started
from tests.oracle import oracle
from tests.portal import entered
from tests.product import Product
from tests.serving import free_port, http_client
from tests.signing import AUTHORIZATIONS
from tests.situations import Holder, holder, pay

ROWS = 4_000
MANY = """
INSERT INTO card_authorization (id, stripe_authorization_id, occurred_at, state, amount_minor,
                                currency, merchant_name, merchant_category, fence)
SELECT gen_random_uuid(), 'iauth_' || n, now() - interval '1 day', 'closed', 100, 'usd', 'Shop',
       'bakeries', 0 FROM generate_series(1, 4000) AS n
"""
PURCHASES = 12
STRANGERS, PAGES = 4, ("/", "/sign-in", "/sign-up", "/terms", "/nothing")
FILE = "/admin/purchases/export"


async def test_purchases_are_answered_in_time_meanwhile(product: Product, tmp_path: Path) -> None:
    ada = await holder(product, cards=3)
    await product.as_owner(MANY)
    cookies = await signed_in_twice(product, ada)
    async with (
        started(product.settings, tmp_path, [{}], PROXYCARD) as [realtime],
        pages_apart(product, tmp_path) as web,
        http_client(realtime.url) as apart,
        http_client(web.url, timeout=30) as stranger,
        http_client(web.url, cookies=cookies, timeout=30) as client,
    ):
        for path in ("/", "/sign-in", "/admin/login"):  # no page of anybody's is served there
            assert (await apart.get(path)).status_code == 404, path
        await product.control(
            "settings", {"authorization_webhook_url": f"{realtime.url}{AUTHORIZATIONS}"}
        )
        over = asyncio.Event()
        crowd = asyncio.gather(
            *(look(stranger, PAGES, over) for _ in range(STRANGERS)),
            look(client, ("/dashboard", "/purchases", "/purchases.csv"), over),
            look(client, (FILE,), over),
            look(client, ("/admin/purchases/list", FILE), over),
        )
        bought = [
            await pay(product, card, 1_000 + n)
            for n, card in zip(range(PURCHASES), cycle(ada.cards), strict=False)
        ]
        over.set()
        looked = await crowd

    assert all(one["approved"] for one in bought)
    assert sum(looked) > PURCHASES
    await product.as_owner("DELETE FROM card_authorization WHERE merchant_name = 'Shop'")
    await oracle(product)


async def signed_in_twice(product: Product, ada: Holder) -> dict[str, str]:
    """Give the cookies of a browser in which a customer and a member of staff are signed in."""
    async with entered(product, ada.customer) as client, signed_in(product, Role.FINANCE) as member:
        return dict(client.cookies.items()) | dict(member.cookies.items())


@asynccontextmanager
async def pages_apart(product: Product, folder: Path) -> AsyncIterator[Running]:
    """Serve the pages by a process of their own, as they are where it matters."""
    port = free_port()
    words = (PROXYCARD[0], "serve", "--part", "web")
    environ = {"PORT": str(port), "DATA_DIR": str(folder / "pages")}
    web = start(product.settings, folder, words, port=port, environ=environ)
    try:
        await ready([web])
        yield web
    finally:
        web.child.stop()


async def look(client: httpx.AsyncClient, paths: tuple[str, ...], over: asyncio.Event) -> int:
    """Ask for one page after another until it is over; give how many were shown.

    A crowded page may say that it has no time, as long as it says that.
    """
    shown = 0
    for path in cycle(paths):
        page = await client.get(path)
        assert page.status_code in {200, 404, 429, 503}, path
        if path == FILE and page.status_code == 200:
            assert page.text.count("\n") > ROWS
        shown += page.status_code == 200
        if over.is_set():
            break
    return shown
