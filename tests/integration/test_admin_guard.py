"""What stands before every page: other sites' requests, unknown paths, headers, failures."""

import re

import asyncpg
import pytest

from app.domain.identity.states import Role
from tests.back_office import browser, signed_in
from tests.product import Product

FORM = {"email": "grace@example.com", "password": "whatever it is"}


STARTED_ELSEWHERE: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "{ours}"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {},
]
STARTED_HERE: list[dict[str, str]] = [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "{ours}"}]
NOTHING_THERE = [
    "/admin/nothing",
    "/admin/customers/create",
    "/admin/customers/export/csv",
    "/admin/customers/ajax/lookup",
    "/admin/nothing/list",
    "/admin/cards/details/not-an-id",
    "/admin/cards/details/00000000-0000-0000-0000-000000000000",
]


async def test_a_change_has_to_start_here(product: Product) -> None:
    ours = product.settings.app_url
    for status, cases in ((403, STARTED_ELSEWHERE), (401, STARTED_HERE)):
        for headers in cases:
            sent = {name: value.replace("{ours}", ours) for name, value in headers.items()}
            response = await product.web.post("/admin/login", data=FORM, headers=sent)
            assert response.status_code == status, headers


@pytest.mark.parametrize("product_settings", [{"ADMIN_HOST": "office.example.com"}])
async def test_with_a_host_of_its_own_it_is_nowhere_else(product: Product) -> None:
    for host, status in (
        ("office.example.com", 200),
        ("Office.Example.com:8443", 200),
        ("www.example.com", 404),
        ("office.example.com.evil.example", 404),
    ):
        page = await product.web.get("/admin/login", headers={"Host": host})
        assert page.status_code == status, host
    assert (await product.web.get("/")).status_code == 200


async def test_an_action_on_get_has_to_start_here_too(product: Product) -> None:
    async with signed_in(product, Role.OWNER) as client:
        for path in ("/admin/events/action/run", "/admin/events/%61ction/run"):
            response = await client.get(path, headers={"Sec-Fetch-Site": "cross-site"})
            assert response.status_code == 403, path
        assert (await client.get("/admin/events/action/run")).status_code == 404


async def test_what_does_not_exist_is_a_404(product: Product) -> None:
    async with signed_in(product, Role.OWNER) as client:
        for path in NOTHING_THERE:
            response = await client.get(path)
            assert response.status_code == 404, path
            assert "Nothing is here" in response.text
            assert response.headers["x-request-id"] in response.text
        assert (await client.get("/adminxyz")).status_code == 404
        assert (await client.delete("/admin/customers/delete?pks=1")).status_code == 404


async def test_the_bare_address_leads_on(product: Product) -> None:
    async with browser(product) as client:
        response = await client.get("/admin")
        assert (response.status_code, response.headers["location"]) == (308, "/admin/")


async def test_every_answer_is_strict_and_only_files_are_kept(product: Product) -> None:
    async with signed_in(product, Role.OWNER) as client:
        page = await client.get("/admin/purchases/list")
        lost = await client.get("/admin/nothing")
        refused = await client.post("/admin/login", headers={"Sec-Fetch-Site": "cross-site"})
        file = await client.get("/admin/statics/office.css")
    for response in (page, lost, refused, file):
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert response.headers["x-content-type-options"] == "nosniff"
    assert {r.headers["cache-control"] for r in (page, lost, refused)} == {"no-store"}
    assert file.headers["cache-control"] == "private, max-age=3600"
    nonces = set()
    for response in (page, lost, refused):
        policy = response.headers["content-security-policy"]
        [nonce] = re.findall(r"script-src 'nonce-([\w-]{22})';", policy)
        scripts = re.findall(r"<script[^>]*>", response.text)
        assert scripts
        assert all(f'nonce="{nonce}"' in script for script in scripts)
        nonces.add(nonce)
    assert len(nonces) == 3
    assert "<style" not in page.text
    assert " style=" not in page.text
    assert "<script>" not in page.text


async def test_a_body_that_is_too_large_is_not_read(product: Product) -> None:
    async with browser(product) as client:
        response = await client.post("/admin/login", data={"email": "x" * 70_000})
    assert response.status_code == 413


async def test_what_breaks_is_told_kindly_and_logged(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    async with signed_in(product, Role.OWNER) as client:
        owner = await asyncpg.connect(product.settings.owner_url)
        await owner.execute("ALTER TABLE card_authorization RENAME COLUMN not_handled TO gone")
        await owner.close()
        response = await client.get("/admin/purchases/list")
    assert response.status_code == 500
    assert "Something went wrong on our side" in response.text
    assert response.headers["x-request-id"] in response.text
    assert response.headers["cache-control"] == "no-store"
    assert "not_handled" not in response.text
    assert "back_office_failed" in capsys.readouterr().out
