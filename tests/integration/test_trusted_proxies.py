"""Where a request comes from: a proxy of ours is believed, and nobody else."""

from uuid import uuid4

import pytest

from tests.portal import browser, sign_in
from tests.product import Product

TRUSTED = {"TRUSTED_PROXIES": "127.0.0.0/8, 10.1.2.3"}
CLIENT, PROXY = "198.51.100.7", "10.1.2.3"


async def noted_address(product: Product, forwarded: str) -> str:
    """Give the address that an attempt to sign in is counted for."""
    async with browser(product, **{"X-Forwarded-For": forwarded}) as client:
        await sign_in(client, f"nobody-{uuid4().hex}@example.com")
    [attempt] = await product.rows("SELECT address FROM attempt ORDER BY created_at DESC LIMIT 1")
    return str(attempt["address"])


@pytest.mark.parametrize("product_settings", [TRUSTED])
async def test_a_proxy_of_ours_is_believed_as_far_as_it_knows(product: Product) -> None:
    assert await noted_address(product, CLIENT) == CLIENT
    assert await noted_address(product, f"203.0.113.1, {CLIENT}, {PROXY}") == CLIENT
    assert await noted_address(product, f"127.0.0.1, {CLIENT}") == CLIENT
    assert await noted_address(product, "not an address") == "127.0.0.1"
    assert await noted_address(product, "2001:db8::7") == "2001:db8::7"


async def test_nobody_else_says_where_they_come_from(product: Product) -> None:
    assert await noted_address(product, CLIENT) == "127.0.0.1"
