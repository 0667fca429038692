"""Doing what staff do on the page of an action: open it, fill it in, send it."""

import html
import re
from typing import Any

import httpx

from tests.back_office import csrf_token_on

NOTE = "as the caller asked"


class Form:
    """An action's page, as a browser has it open."""

    def __init__(self, client: httpx.AsyncClient, path: str, page: httpx.Response) -> None:
        assert page.status_code == 200, page.text
        self.client = client
        self.path = path
        self.page = page
        self.hidden = _hidden(page.text) | {"csrf_token": csrf_token_on(page)}

    async def send(self, **typed: Any) -> httpx.Response:
        """Send the form, with a reason the page offers unless another one is typed."""
        options = re.findall(r'<option value="(\w+)"', self.page.text.partition('id="reason"')[2])
        form = {"reason": options[0], "note": NOTE, "sure": "yes", **self.hidden, **typed}
        return await self.client.post(self.path, data=form)


async def opened(client: httpx.AsyncClient, slug: str, key: object) -> Form:
    """Open the page of an action."""
    path = f"/admin/act/{slug}/{key}"
    return Form(client, path, await client.get(path))


async def act(client: httpx.AsyncClient, slug: str, key: object, **typed: Any) -> httpx.Response:
    """Open the page of an action and send it."""
    return await (await opened(client, slug, key)).send(**typed)


def field_problem(page: httpx.Response, name: str) -> str:
    """Give what is said at a field; empty when nothing is."""
    found = re.search(rf'id="{name}-problem" role="alert">([^<]*)<', page.text)
    return html.unescape(found[1]) if found else ""


def _hidden(text: str) -> dict[str, str]:
    """Give what the form carries without showing it."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text)
    hidden = {name: html.unescape(value) for name, value in found}
    assert {"once", "seen"} <= hidden.keys(), text
    return hidden
