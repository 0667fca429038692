"""A webhook's raw bytes, no more than allowed and no slower."""

import asyncio
from typing import Any

from litestar import Request
from litestar.exceptions import ClientException

from app.webhooks.reading import TooLarge

READ_WITHIN_SECONDS = 1.0


async def read_body(request: Request[Any, Any, Any]) -> bytes:
    """Give the body. Raise TooLarge, or a 400 when it comes too slowly."""
    try:
        async with asyncio.timeout(READ_WITHIN_SECONDS):
            return await request.body()
    except TimeoutError:
        raise ClientException("The body did not arrive in time") from None
    except ClientException as error:
        if error.status_code == TooLarge.status_code:
            raise TooLarge("The body is over 64 KiB") from None
        raise
