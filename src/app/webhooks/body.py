"""A webhook's raw bytes, no more than allowed and no slower."""

import asyncio
from typing import Any

from litestar import Request
from litestar.exceptions import ClientException
from litestar.types import Receive

from app.errors import AppError
from app.webhooks.reading import LARGEST_QUESTION_BYTES, TooLarge

READ_WITHIN_SECONDS = 1.0


class BodyTooSlow(AppError, status=400):
    """The body did not arrive in time."""


async def receive_body(receive: Receive) -> bytes:
    """Give the body of a plain ASGI request. Raise TooLarge, or BodyTooSlow."""
    body = bytearray()
    try:
        async with asyncio.timeout(READ_WITHIN_SECONDS):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise BodyTooSlow("The body ended early")
                body += message["body"]
                if len(body) > LARGEST_QUESTION_BYTES:
                    raise TooLarge("The body is over 64 KiB")
                if not message["more_body"]:
                    return bytes(body)
    except TimeoutError:
        raise BodyTooSlow("The body did not arrive in time") from None


async def read_body(request: Request[Any, Any, Any]) -> bytes:
    """Give the body. Raise TooLarge, or a 400 when it comes too slowly."""
    try:
        async with asyncio.timeout(READ_WITHIN_SECONDS):
            return await request.body()
    except TimeoutError:
        raise ClientException("The body did not arrive in time") from None
    except ClientException as error:
        if error.status_code == TooLarge.status_code:
            raise TooLarge("The body is over 2 MiB") from None
        raise
