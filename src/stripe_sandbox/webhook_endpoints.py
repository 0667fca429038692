"""Webhook endpoints (https://docs.stripe.com/api/webhook_endpoints)."""

from collections.abc import Sequence
from typing import Any

import stripe.params

from stripe_sandbox.errors import StripeError
from stripe_sandbox.ids import random_text
from stripe_sandbox.listing import list_page
from stripe_sandbox.metadata import merged
from stripe_sandbox.routing import Call, Route

KIND = "webhook_endpoint"
TEMPLATE = "/v1/webhook_endpoints/{webhook_endpoint}"
SECRET_LENGTH = 32


async def create(call: Call) -> dict[str, Any]:
    """Make an endpoint. Only this answer holds its signing secret."""
    params = call.params
    _check(params)
    endpoint = {
        "id": call.world.new_id("we"),
        "object": KIND,
        "api_version": params.get("api_version"),
        "application": None,
        "created": call.world.now(),
        "description": params.get("description") or None,
        "enabled_events": params["enabled_events"],
        "livemode": False,
        "metadata": merged({}, params.get("metadata")),
        "status": "enabled",
        "url": params["url"],
    }
    call.world.add(endpoint)
    secret = f"whsec_{random_text(SECRET_LENGTH)}"
    call.world.store.put("sandbox.endpoint_secret", f"secret:{endpoint['id']}", {"secret": secret})
    return endpoint | {"secret": secret}


async def retrieve(call: Call) -> dict[str, Any]:
    return call.world.get(KIND, call.path["webhook_endpoint"])


async def update(call: Call) -> dict[str, Any]:
    endpoint = call.world.get(KIND, call.path["webhook_endpoint"])
    params = call.params
    _check(params)
    for name in ("enabled_events", "url"):
        if name in params:
            endpoint[name] = params[name]
    if "description" in params:
        endpoint["description"] = params["description"] or None
    if "disabled" in params:
        endpoint["status"] = "disabled" if params["disabled"] else "enabled"
    endpoint["metadata"] = merged(endpoint["metadata"], params.get("metadata"))
    return call.world.save(endpoint)


async def delete(call: Call) -> dict[str, Any]:
    endpoint = call.world.get(KIND, call.path["webhook_endpoint"])
    call.world.store.remove(KIND, endpoint["id"])
    call.world.store.remove("sandbox.endpoint_secret", f"secret:{endpoint['id']}")
    return {"id": endpoint["id"], "object": KIND, "deleted": True}


async def list_(call: Call) -> dict[str, Any]:
    return list_page(call, KIND)


def _check(params: dict[str, Any]) -> None:
    url = params.get("url")
    if url is not None and not url.startswith(("http://", "https://")):
        raise StripeError(
            "Invalid URL: An explicit scheme (such as https) must be provided.",
            code="url_invalid",
            param="url",
        )
    if params.get("enabled_events") == []:
        raise StripeError("You must enable at least one event.", param="enabled_events")


ROUTES: Sequence[Route] = (
    Route("POST", "/v1/webhook_endpoints", create, stripe.params.WebhookEndpointCreateParams),
    Route("GET", "/v1/webhook_endpoints", list_, stripe.params.WebhookEndpointListParams, KIND),
    Route("GET", TEMPLATE, retrieve),
    Route("POST", TEMPLATE, update, stripe.params.WebhookEndpointUpdateParams),
    Route("DELETE", TEMPLATE, delete),
)
