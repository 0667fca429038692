"""Passwords: hashed with Argon2id, two at a time, away from the event loop."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.errors import AppError

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 200
# The second of the settings OWASP recommends: 19 MiB, two passes, one lane.
# Source: https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id
_HASH = PasswordHash((Argon2Hasher(memory_cost=19_456, time_cost=2, parallelism=1),))
# Each hash costs memory and a core for some 50 ms: whoever floods the sign-in waits for a thread,
# and the event loop does not.
_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="password")


class UnusablePassword(AppError, status=422):
    """The password is too short or too long to be kept."""


async def hash_password(password: str) -> str:
    """Give what to keep instead of a password. Raise UnusablePassword for one of a wrong length."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise UnusablePassword(
            f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters"
        )
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _HASH.hash, password)


async def needs_new_hash(password: str, kept: str) -> str | None:
    """Give a new hash of the right password where the kept one was made with weaker settings."""
    if not _HASH.current_hasher.check_needs_rehash(kept):
        return None
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _HASH.hash, password)


async def matches(password: str, kept: str | None) -> bool:
    """Tell whether the password is the kept one. Nobody's password takes as long, and is False."""
    run = asyncio.get_running_loop().run_in_executor
    tried = password[:LONGEST_PASSWORD]
    if kept is None:
        await run(_THREADS, _HASH.hash, tried)
        return False
    return await run(_THREADS, _HASH.verify, tried, kept) and tried == password
