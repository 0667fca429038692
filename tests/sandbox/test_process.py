"""`python -m stripe_sandbox`: a process of its own."""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import httpx
import pytest

from tests.serving import free_port
from tests.waiting import until

KEY = {"Authorization": "Bearer sk_test_1"}


async def start(*options: str) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "stripe_sandbox", *options, stdout=PIPE, stderr=PIPE
    )


async def is_up(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/_sandbox/health")).is_success
    except httpx.TransportError:
        return False


async def test_sigterm_ends_it_though_answers_hang_and_everything_is_on_disk(
    tmp_path: Path,
) -> None:
    port = free_port()
    options = ("--port", str(port), "--data-dir", str(tmp_path / "sandbox"))
    url = f"http://127.0.0.1:{port}"
    async with httpx.AsyncClient(base_url=url, headers=KEY) as client:
        first = await start(*options)
        await until(lambda: is_up(client))
        refused = await start(*options)
        _, complaint = await refused.communicate()
        fault = {"method": "GET", "path": "/v1/charges", "action": "hang"}
        await client.post("/_sandbox/faults", json=fault)
        hanging = asyncio.create_task(client.get("/v1/charges"))
        made = (await client.post("/v1/customers", data={"name": "Ada"})).json()
        first.send_signal(signal.SIGTERM)
        ended = await asyncio.wait_for(first.wait(), 5)
        with pytest.raises(httpx.TransportError):
            await hanging

        second = await start(*options)
        await until(lambda: is_up(client))
        found = (await client.get(f"/v1/customers/{made['id']}")).json()
        second.terminate()

    assert (ended, await second.wait(), refused.returncode) == (0, 0, 2)
    assert f"--port {port} is in use" in complaint.decode()
    assert found == made


async def test_it_listens_on_this_machine_only() -> None:
    process = await start("--host", "0.0.0.0")  # noqa: S104  which is what it must refuse
    _, complaint = await process.communicate()

    assert process.returncode == 2
    assert "not a loopback address" in complaint.decode()
