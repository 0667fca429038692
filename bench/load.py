"""Sends purchases as Stripe would, so many at a time, and notes when each answer came."""

import asyncio
import hashlib
import hmac
import itertools
import random
import time
from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus

import aiohttp
import msgspec

SECRET = "whsec_authorizations_of_the_bench"  # noqa: S105 - nobody else's
_numbers = itertools.count(1)


class Run(msgspec.Struct, frozen=True):
    """What a run gave: answers in a time, how many of each kind, and their milliseconds, sorted."""

    seconds: float
    milliseconds: list[float]
    answers: dict[str, int]

    @property
    def per_second(self) -> float:
        return len(self.milliseconds) / self.seconds

    @property
    def not_approved(self) -> int:
        return len(self.milliseconds) - self.answers.get("approved", 0)

    def percentile(self, share: float) -> float:
        """Give the milliseconds within which this share of the answers came."""
        at = min(int(len(self.milliseconds) * share), len(self.milliseconds) - 1)
        return self.milliseconds[at]


class Sent(msgspec.Struct, frozen=True):
    """One purchase: when it was sent, how long its answer took, and what it was."""

    at: float
    milliseconds: float
    answer: str


def together(runs: Sequence[Run]) -> Run:
    """Look at several runs as one."""
    return Run(
        seconds=sum(run.seconds for run in runs),
        milliseconds=sorted(ms for run in runs for ms in run.milliseconds),
        answers=dict(sum((Counter(run.answers) for run in runs), Counter())),
    )


async def in_flight(
    address: str, cards: Sequence[str], number: int, seconds: float, *, warm_up: float = 0.1
) -> Run:
    """Keep that many purchases in flight for a time; the share of it to warm up is not counted."""
    connector = aiohttp.TCPConnector(limit=number)
    async with aiohttp.ClientSession(connector=connector) as session:
        started = time.perf_counter()
        counted_from, until = started + seconds * warm_up, started + seconds
        senders = [_keep_sending(session, address, cards, until) for _ in range(number)]
        answers = [a for found in await asyncio.gather(*senders) for a in found]
    counted = [a for a in answers if a.at >= counted_from]
    return _run(time.perf_counter() - counted_from, counted)


async def at_rate(address: str, cards: Sequence[str], per_second: float, seconds: float) -> Run:
    """Send purchases at a constant rate, whatever the answers do."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        started = time.perf_counter()
        sent = []
        for number in range(int(per_second * seconds)):
            await asyncio.sleep(max(started + number / per_second - time.perf_counter(), 0))
            sent.append(asyncio.create_task(_send(session, address, random.choice(cards))))  # noqa: S311 - it guards nothing
        answers = await asyncio.gather(*sent)
    return _run(time.perf_counter() - started, answers)


def _run(seconds: float, answers: Sequence[Sent]) -> Run:
    return Run(
        seconds=seconds,
        milliseconds=sorted(a.milliseconds for a in answers),
        answers=dict(Counter(a.answer for a in answers)),
    )


async def _keep_sending(
    session: aiohttp.ClientSession, address: str, cards: Sequence[str], until: float
) -> list[Sent]:
    answers = []
    while time.perf_counter() < until:
        answers.append(await _send(session, address, random.choice(cards)))  # noqa: S311 - it guards nothing
    return answers


async def _send(session: aiohttp.ClientSession, address: str, card: str) -> Sent:
    body = purchase(card)
    headers = {"Stripe-Signature": signature(body), "Content-Type": "application/json"}
    started = time.perf_counter()
    try:
        async with session.post(address, data=body, headers=headers) as response:
            told = msgspec.json.decode(await response.read())
            answer = "approved" if told.get("approved") else "declined"
            answer = answer if response.status == HTTPStatus.OK else "failed"
    except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError):
        answer = "failed"
    return Sent(started, (time.perf_counter() - started) * 1000, answer)


def purchase(card: str) -> bytes:
    """Write a real-time request the size of Stripe's own."""
    number = next(_numbers)
    name = f"{time.time_ns()}_{number}"
    authorization = {
        "id": f"iauth_{name}",
        "object": "issuing.authorization",
        "amount": 0,
        "approved": False,
        "status": "pending",
        "card": {"id": card, "object": "issuing.card", "filling": "x" * 2500},
        "merchant_data": {
            "category": "fast_food_restaurants",
            "category_code": "5814",
            "name": "Blue Bottle",
            "country": "US",
            "city": "San Francisco",
            "network_id": "1234567890",
        },
        "pending_request": {
            "amount": 1999,
            "currency": "usd",
            "is_amount_controllable": False,
            "merchant_amount": 1999,
            "merchant_currency": "usd",
        },
        "request_history": [],
        "filling": "x" * 1000,
    }
    return msgspec.json.encode(
        {
            "id": f"evt_{name}",
            "object": "event",
            "type": "issuing_authorization.request",
            "created": int(time.time()),
            "livemode": False,
            "data": {"object": authorization},
        }
    )


def signature(body: bytes) -> str:
    now = int(time.time())
    signed = hmac.new(SECRET.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={now},v1={signed}"
