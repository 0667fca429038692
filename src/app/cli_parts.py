"""What a command works with that speaks to Stripe too."""

import asyncio
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import stripe
import structlog

from app.cli_work import business_offset
from app.config import load
from app.errors import AppError
from app.logs import configure_logs
from app.parts import Parts, open_parts

Given = TypeVar("Given")


class StripeRefuses(AppError, status=503):
    """Stripe does not answer, or refuses what we asked."""


def with_parts(work: Callable[[Parts], Awaitable[Given]]) -> Given:
    """Do the work with everything a worker has; only warnings are logged, on standard error.

    Raises StripeRefuses where Stripe fails.
    """
    configure_logs(sys.stderr)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))

    async def run() -> Given:
        settings = load(os.environ, Path.cwd())
        async with open_parts(settings) as parts:
            parts.clock.offset = await business_offset(settings)
            return await work(parts)

    try:
        return asyncio.run(run())
    except stripe.StripeError as error:
        told = error.user_message or type(error).__name__
        raise StripeRefuses(f"Stripe did not do its part: {told}") from None
