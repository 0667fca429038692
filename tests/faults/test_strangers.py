"""Posts that nobody signed: refused before anything is read or stored, however many come."""

import asyncio
import os
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.issuing.asking import limit_windows
from app.domain.issuing.stopwatch import Stopwatch
from app.metrics import REFUSED
from tests.oracle import oracle
from tests.product import Product
from tests.signing import AUTHORIZATIONS
from tests.situations import holder, pay

POSTS = 200
AT_ONCE = 4


class TestAFloodOfUnsignedPosts:
    async def test_is_refused_while_purchases_go_on(self, product: Product) -> None:
        ada = await holder(product, cards=5)
        before = REFUSED.labels(400)._value.get()  # noqa: SLF001  how the library's own tests read it

        few = asyncio.Semaphore(AT_ONCE)  # what comes at full speed is measured in the bench

        async def stranger() -> int:
            async with few:
                answer = await product.web.post(AUTHORIZATIONS, content=os.urandom(500))
            return answer.status_code

        flood = asyncio.gather(*(stranger() for _ in range(POSTS)))
        bought = [await pay(product, card, 1999) for card in ada.cards]
        answers = await flood

        assert set(answers) == {400}
        assert REFUSED.labels(400)._value.get() - before == POSTS  # noqa: SLF001  as above
        assert all(one["approved"] for one in bought)
        asked = await product.rows("SELECT 1 FROM authorization_request")
        assert len(asked) == len(bought)
        await oracle(product)


@pytest.mark.parametrize("hours", [-10, 10])
def test_the_time_left_does_not_follow_a_clock_that_is_moved(
    hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Stopwatch()
    monkeypatch.setattr("time.time", lambda: hours * 3600.0)

    assert 1.5 < watch.left() <= 1.65


class TestTheWindowsOfTheLimits:
    """In UTC: no day has 23 or 25 hours there."""

    @pytest.mark.parametrize(
        ("now", "day", "month"),
        [
            ("2026-03-08T09:59:59", "2026-03-08T00:00:00", "2026-03-01T00:00:00"),
            ("2026-11-01T08:30:00", "2026-11-01T00:00:00", "2026-11-01T00:00:00"),
            ("2026-02-28T23:59:59.999999", "2026-02-28T00:00:00", "2026-02-01T00:00:00"),
            ("2028-02-29T00:00:00", "2028-02-29T00:00:00", "2028-02-01T00:00:00"),
            ("2027-01-01T00:00:00", "2027-01-01T00:00:00", "2027-01-01T00:00:00"),
        ],
    )
    def test_begin_at_midnight_and_on_the_first(self, now: str, day: str, month: str) -> None:
        windows = limit_windows(moment(now))

        assert (windows.day_start, windows.month_start) == (moment(day), moment(month))
        assert limit_windows(moment(now) + timedelta(days=1)).day_start > windows.day_start


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
