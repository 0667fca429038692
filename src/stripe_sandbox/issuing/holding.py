"""What authorizations hold on the Issuing balance, and let go of again.

Each hold, increment and release is a balance transaction whose source is the authorization
(https://docs.stripe.com/issuing/purchases/transactions). What an authorization holds is kept beside
them, so that one can be checked against the other. Amounts are in minor units.
"""

from typing import Any

from stripe_sandbox.world import World

KIND = "sandbox.hold"


def held(world: World, authorization: dict[str, Any]) -> int:
    """What an authorization holds."""
    kept = world.store.get(KIND, _key(authorization))
    return 0 if kept is None else int(kept["amount"])


def hold(world: World, authorization: dict[str, Any], amount: int) -> None:
    """Hold so much more; nothing happens with an amount of 0."""
    _move(world, authorization, amount, "hold", "Hold for authorization")


def release(world: World, authorization: dict[str, Any], amount: int, why: str) -> None:
    """Let go of so much; nothing happens with an amount of 0."""
    description = f"Released hold for authorization due to {why}"
    _move(world, authorization, -amount, "release", description)


def movements(world: World, authorization: dict[str, Any]) -> list[dict[str, Any]]:
    """The balance transactions of an authorization's holds and releases, oldest first."""
    return list(world.find("balance_transaction", source=authorization["id"]))[::-1]


async def take_up(world: World) -> None:
    """Note what authorizations hold that were kept before holds were noted."""
    for authorization in world.find("issuing.authorization", status="pending"):
        if world.store.get(KIND, _key(authorization)) is None:
            _keep(world, authorization, -sum(one["net"] for one in movements(world, authorization)))


def _move(
    world: World, authorization: dict[str, Any], more: int, verb: str, description: str
) -> None:
    if more == 0:
        return
    world.balance.add_transaction(
        "issuing",
        f"issuing_authorization_{verb}",
        -more,
        source=authorization["id"],
        description=description,
        currency=authorization["currency"],
    )
    _keep(world, authorization, held(world, authorization) + more)


def _keep(world: World, authorization: dict[str, Any], amount: int) -> None:
    key = _key(authorization)
    if amount == 0:
        world.store.remove(KIND, key)
    else:
        kept = {"id": key, "authorization": authorization["id"], "amount": amount}
        world.store.put(KIND, key, kept)


def _key(authorization: dict[str, Any]) -> str:
    return f"hold:{authorization['id']}"
