"""Which intents change by themselves when the clock has come far enough."""

from typing import Any

from stripe_sandbox.world import World

KIND = "sandbox.deadline"


def expect(world: World, intent: dict[str, Any], at: int) -> None:
    """Remember that this happens to an intent at Unix time `at`, and nothing else before."""
    world.add({"id": f"deadline:{intent['id']}", "object": KIND, "at": at, "intent": intent["id"]})


def forget(world: World, intent: dict[str, Any]) -> None:
    world.store.remove(KIND, f"deadline:{intent['id']}")


def due_intents(world: World) -> list[dict[str, Any]]:
    """The intents whose time has come, oldest first; each is given once."""
    now = world.now()
    due = [one["intent"] for one in world.find(KIND) if one["at"] <= now]
    intents = [world.get("payment_intent", intent_id) for intent_id in reversed(due)]
    for intent in intents:
        forget(world, intent)
    return intents
