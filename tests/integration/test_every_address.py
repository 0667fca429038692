"""What every address has in common: strict answers, no other site let in, no change by looking."""

import re
from collections.abc import Iterator

import httpx
import pytest

from app.domain.identity.states import Role
from app.portal.routes import PAGES
from tests.back_office import signed_in
from tests.integration.test_portal_guard import crawl
from tests.integration.test_portal_security import armed, entered
from tests.permissions import NOTHING, places
from tests.product import Product
from tests.waiting import until

STRICT = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
}
ELSEWHERE = (
    *("/", "/health/live", "/health/ready", "/metrics", "/nothing/here", "/admin", "/adminxyz"),
    *("/admin/nothing", "/admin/statics/office.css", "/static/0/portal.css"),
)
WEBHOOKS = ("/webhooks/stripe/events", "/webhooks/stripe/authorizations")
NOT_FOR_ANYBODY = (
    *("/schema", "/schema/openapi.json", "/openapi.json", "/docs", "/redoc", "/debug"),
    *("/.env", "/.git/config", "/static/../config.py", "/admin/statics/../guard.py"),
    *("/admin/customers/ajax/lookup?name=x&term=a", "/admin/customers/export/csv"),
)
CORS = re.compile(r"^access-control-", re.IGNORECASE)
LOOKED_AT = {
    *("audit_entry", "audit_seal", "attempt", "customer_session", "staff_session"),
    *("heartbeat", "regular_job", "pgqueuer", "pgqueuer_log", "pgqueuer_statistics"),
    *("pgqueuer_schedules", "rollup_mark", "account_day", "seal", "profit_day"),
}
"""Who has looked when, and what jobs do meanwhile."""
TABLES = "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'"


def pages() -> Iterator[tuple[str, str]]:
    """Give every method and address of the portal."""
    for page in PAGES:
        for path in page.paths:  # type: ignore[union-attr]  # all are handlers
            filled = re.sub(r"\{\w+:(uuid|path|str)\}", NOTHING, path)
            for method in page.http_methods - {"HEAD", "OPTIONS"}:  # type: ignore[union-attr]
                yield method, filled


def of_the_office(product: Product) -> Iterator[tuple[str, str]]:
    for place in places(product.parts, {}):
        yield place.method, f"/admin{place.path}"


@pytest.mark.parametrize("product_settings", [{"APP_URL": "https://cards.example.com"}])
async def test_every_answer_is_strict_and_for_our_own_pages_only(product: Product) -> None:
    asked = {*pages(), *of_the_office(product)}
    asked |= {("GET", path) for path in ELSEWHERE} | {("POST", path) for path in WEBHOOKS}
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    for method, path in sorted(asked):
        answer = await product.web.request(method, path, headers=foreign)
        where = (method, path)
        assert answer.status_code < 500, where
        if method != "GET":
            assert answer.status_code in {400, 403, 404, 411}, where
        strict = {name: answer.headers.get(name) for name in STRICT}
        assert strict == STRICT, where
        assert not [name for name in answer.headers if CORS.match(name)], where
        cookies = answer.headers.get_list("set-cookie")
        assert all(is_bound(cookie) for cookie in cookies), where
        if "text/html" in answer.headers.get("content-type", ""):
            assert "default-src 'none'" in answer.headers["content-security-policy"], where
    for path in sorted({path for _, path in asked}):
        wanted = {**foreign, "Access-Control-Request-Method": "POST"}
        preflight = await product.web.options(path, headers=wanted)
        assert not [name for name in preflight.headers if CORS.match(name)], path


def is_bound(cookie: str) -> bool:
    """Whether a cookie is this host's alone and out of reach of scripts."""
    flags = {part.strip().lower() for part in cookie.split(";")[1:]}
    site = {"samesite=strict", "samesite=lax"}
    return (
        cookie.startswith("__Host-")
        and {"secure", "httponly", "path=/"} <= flags
        and bool(site & flags)
    )


async def test_nothing_is_told_of_ourselves(product: Product) -> None:
    for path in NOT_FOR_ANYBODY:
        answer = await product.web.get(path)
        assert answer.status_code in {303, 404}, path
        assert "Traceback" not in answer.text
    broken = await product.web.get("/purchases/%00%ff'\"<script>")
    assert broken.status_code in {303, 404}
    assert "<script>" not in broken.text


async def test_looking_at_everything_changes_nothing(product: Product) -> None:
    ada = await armed(product, "ada@example.com", "Zuni")
    [bought] = await product.rows(
        "SELECT id::text FROM card_authorization WHERE approved ORDER BY created_at LIMIT 1"
    )
    async with (
        entered(product, "ada@example.com") as client,
        signed_in(product, Role.OWNER) as owner,
    ):
        before = await at_rest(product)
        await crawl(client)
        await ask_all(owner, of_the_office(product))
        for path in (f"/admin/customer/{ada.customer.id}", f"/admin/purchase/{bought['id']}"):
            assert (await owner.get(path)).status_code == 200
        assert await everything(product) == before


async def ask_all(client: httpx.AsyncClient, places: Iterator[tuple[str, str]]) -> None:
    for method, path in places:
        if method == "GET" and not path.endswith("/live"):
            assert (await client.get(path)).status_code < 500, path


async def at_rest(product: Product) -> dict[str, str]:
    """Give what every table holds, once letters are sent and nothing changes by itself any more."""
    found: list[dict[str, str]] = [{}, {}]

    async def the_same_twice() -> bool:
        waiting = await product.rows("SELECT 1 FROM mail WHERE state = 'waiting'")
        found[:] = [found[1], await everything(product)]
        return not waiting and found[0] == found[1]

    await until(the_same_twice, why="nothing changes by itself")
    return found[1]


async def everything(product: Product) -> dict[str, str]:
    """Give what every table holds, as one hash each."""
    found = {}
    for row in await product.rows(TABLES):
        if row["name"] not in LOOKED_AT:
            [held] = await product.rows(
                f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) AS it FROM {row['name']} t"  # noqa: S608
            )
            found[str(row["name"])] = str(held["it"])
    assert len(found) > 25
    return found
