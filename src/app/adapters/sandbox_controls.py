"""The offline Stripe's own controls: what merchants can do and Stripe has no test helper for."""

from datetime import timedelta
from typing import Any

import aiohttp

from app.adapters.merchant_errors import MerchantRefused, StripeUnclear

WITHIN_SECONDS = 30
SHOWN_WITHIN_SECONDS = 2
"""A page that only shows what the offline Stripe tells does without, when it is slow."""


class SandboxControls:
    """The controls under an address like http://127.0.0.1:12111/_sandbox/.

    Raises MerchantRefused and StripeUnclear.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    async def do(self, path: str, amount_minor: int | None) -> str:
        """Act on an object with an amount, or without one on all of it; give what came of it."""
        body = {} if amount_minor is None else {"amount": amount_minor}
        return str((await self._post(path, body))["id"])

    async def move_clock(self, step: timedelta) -> timedelta:
        """Move the time of the card network on; give how far it is ahead of real time now."""
        told = await self._post("clock", {"advance_seconds": int(step.total_seconds())})
        return timedelta(seconds=told["offset_seconds"])

    async def refusing(self) -> dict[str, str]:
        """Give what banks would answer, by the saved card, for those that would not pay now."""
        told = await self._send("GET", "payment_methods", None, SHOWN_WITHIN_SECONDS)
        return {str(name): str(answer) for name, answer in told["refusing"].items()}

    async def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return await self._send("POST", path, body, WITHIN_SECONDS)

    async def _send(
        self, method: str, path: str, body: dict[str, Any] | None, within_seconds: float
    ) -> dict[str, Any]:
        timeout = aiohttp.ClientTimeout(total=within_seconds)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.request(method, f"{self.url}{path}", json=body) as response,
            ):
                told: dict[str, Any] = await response.json()
                refused = response.status >= 400  # noqa: PLR2004  HTTP's border of refusals
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise StripeUnclear(
                "The offline Stripe gave no clear answer, so this may have been done or not: "
                "look before you send it again."
            ) from error
        if refused:
            said = told.get("error", {}).get("message", "it does not say why")
            raise MerchantRefused(f"The offline Stripe refused this: {said}")
        return told
