"""Tells the offline Stripe where the app listens, as a person tells Stripe in its dashboard."""

import json
from collections.abc import Mapping
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlencode

from app.config import STRIPE_VERSION
from local_stack.refusal import Failure

_EVENTS_PATH = "/webhooks/stripe/events"
_AUTHORIZATIONS_PATH = "/webhooks/stripe/authorizations"
_TIMEOUT_SECONDS = 10.0


class OfflineStripe:
    """The one on a port of this machine, with the key it is to be called with."""

    def __init__(self, port: int, key: str) -> None:
        self._port = port
        self._key = key

    def is_healthy(self) -> bool:
        try:
            return self._call("GET", "/_sandbox/health")[0] == HTTPStatus.OK
        except (OSError, HTTPException):
            return False

    def begin_in_past(self, days: int, float_minor: int) -> None:
        """Have its time begin so many days ago, with an Issuing balance of so many cents.

        It forgets what it knows: this is for one that is new.
        """
        begins = {"days_ago": days, "float_minor": float_minor}
        self._done("POST", "/_sandbox/reset", settings=begins)

    def send_authorizations_to(self, app_url: str, secret: str) -> None:
        """Have it ask the app about each purchase; its other settings stay as they are."""
        self._done(
            "POST",
            "/_sandbox/settings",
            settings={
                "authorization_webhook_url": app_url + _AUTHORIZATIONS_PATH,
                "authorization_webhook_secret": secret,
            },
        )

    def send_events_to(self, app_url: str, known_secret: str | None) -> str:
        """Have it tell the app about everything else; return the secret that signs it.

        The secret is only said when an endpoint is made, so one without a known secret is made
        anew. https://docs.stripe.com/api/webhook_endpoints/create
        """
        url = app_url + _EVENTS_PATH
        listed = self._done("GET", "/v1/webhook_endpoints?limit=100")["data"]
        ours = [endpoint for endpoint in listed if endpoint["url"].endswith(_EVENTS_PATH)]
        if known_secret and [endpoint["url"] for endpoint in ours] == [url]:
            return known_secret
        for endpoint in ours:
            self._done("DELETE", f"/v1/webhook_endpoints/{endpoint['id']}")
        form = {"url": url, "enabled_events[]": "*", "api_version": STRIPE_VERSION}
        secret = self._done("POST", "/v1/webhook_endpoints", form=form)["secret"]
        assert isinstance(secret, str)
        return secret

    def _done(
        self,
        method: str,
        path: str,
        *,
        settings: Mapping[str, str | int] | None = None,
        form: dict[str, str] | None = None,
    ) -> Any:
        body = json.dumps(settings) if settings else urlencode(form or {})
        status, answer = self._call(
            method, path, body, "json" if settings else "x-www-form-urlencoded"
        )
        if status != HTTPStatus.OK:
            raise Failure(f"The offline Stripe answered {status} to {method} {path}: {answer}")
        return json.loads(answer)

    def _call(self, method: str, path: str, body: str = "", kind: str = "json") -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=_TIMEOUT_SECONDS)
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": f"application/{kind}"}
        with closing(connection):
            connection.request(method, path, body or None, headers)
            response = connection.getresponse()
            return response.status, response.read().decode()
