"""Idempotency keys: a request that is repeated is answered as before and done once.

https://docs.stripe.com/api/idempotent_requests: the first answer is kept whatever its status,
except when the parameters were refused, and for 401, 409 and 429. Keys live for 24 hours.
"""

import hashlib
import time
from collections.abc import Sequence

import msgspec

from stripe_sandbox.errors import StripeError
from stripe_sandbox.store import Store

KIND = "sandbox.idempotency"
LIFETIME_SECONDS = 24 * 3600
LONGEST_KEY = 255
NEVER_KEPT = frozenset({401, 409, 429})


class KeptAnswer(msgspec.Struct, frozen=True):
    fingerprint: str
    status: int
    body: bytes
    at: float


class KeptAnswers:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.in_flight: dict[str, str] = {}

    def begin(self, key: str, fingerprint: str) -> KeptAnswer | None:
        """Give the answer kept under a key, or take the key for a request that now begins.

        Raises Stripe's error when the key is long, in flight, or was used for something else.
        """
        if len(key) > LONGEST_KEY:
            raise StripeError(
                f"Idempotency key is too long. The maximum length is {LONGEST_KEY} characters.",
                type="idempotency_error",
            )
        answer = self._kept(key)
        first = answer.fingerprint if answer is not None else self.in_flight.get(key)
        if first is not None and first != fingerprint:
            raise StripeError(
                "Keys for idempotent requests can only be used with the same parameters they were "
                f"first used with. Try using a key other than '{key}' if you meant to execute a "
                "different request.",
                type="idempotency_error",
            )
        if key in self.in_flight:
            raise StripeError(
                "There is currently another in-progress request using this Idempotent Key (that "
                "probably means you submitted twice, and the other request is still going through):"
                f" {key}. Please try again later.",
                status=409,
                type="idempotency_error",
                code="idempotency_key_in_use",
            )
        if answer is None:
            self.in_flight[key] = fingerprint
        return answer

    def keep(self, key: str, status: int, body: bytes) -> None:
        """Keep the answer of a request that ran."""
        if status not in NEVER_KEPT and key in self.in_flight:
            kept = KeptAnswer(self.in_flight[key], status, body, time.time())
            self.store.put(KIND, f"key:{key}", kept)

    def end(self, key: str) -> None:
        """Let go of a key: its request is over."""
        self.in_flight.pop(key, None)

    def _kept(self, key: str) -> KeptAnswer | None:
        answer = self.store.get(KIND, f"key:{key}")
        if answer is not None and answer.at < time.time() - LIFETIME_SECONDS:
            self.store.remove(KIND, f"key:{key}")
            return None
        return answer if isinstance(answer, KeptAnswer) else None


def fingerprint(method: str, path: str, pairs: Sequence[tuple[str, str]]) -> str:
    """What makes two requests the same one: method, path, and parameters in any order."""
    content = msgspec.json.encode([method, path, sorted(pairs)])
    return hashlib.sha256(content).hexdigest()
