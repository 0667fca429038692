"""What can be seen of our account through Stripe's interface, and where to look for the rest."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta

import stripe

from app.adapters.stripe_account import Answered, Endpoint, PastAuthorization, StripeAccount
from app.config import STRIPE_VERSION, Settings
from app.doctor.findings import Finding, fail, ok, warn
from app.money import readable

LOOKED_AT = 20
MOST_SKEW_SECONDS = 2.0
DELIVERED_WITHIN = timedelta(minutes=1)
EVENTS_PATH = "/webhooks/stripe/events"
AUTHORIZATIONS_PATH = "/webhooks/stripe/authorizations"
ANSWERED_BY_US = frozenset({"webhook_approved", "webhook_declined"})
WHERE_REAL_TIME_IS_SET = (
    "Only Stripe's dashboard shows it: Issuing, Settings, real-time authorization webhook must be"
    " {url}, with its own secret in STRIPE_AUTHORIZATION_WEBHOOK_SECRET and the timeout set to"
    " decline."
)


async def examine_stripe(
    account: StripeAccount,
    settings: Settings,
    handled: Collection[str],
    now: datetime,
    spent_minor: int | None,
) -> list[Finding]:
    """Look at everything there. `handled`: the events we act on; `spent_minor`: of one day."""
    due = now - DELIVERED_WITHIN
    try:
        answered = await account.balance()
        endpoints = await account.endpoints()
        past = await account.latest_authorizations(LOOKED_AT)
        late = await account.undelivered(handled, due, LOOKED_AT)
    except (stripe.StripeError, OSError) as error:
        return [_unusable(error, settings)]
    return [
        _key(answered, settings),
        _publishable_key(settings),
        _clock(answered),
        *_events(endpoints, settings, handled),
        _delivery(late),
        _asked(past, settings),
        _default(past),
        _errors(past),
        _float(answered, spent_minor),
    ]


def _unusable(error: stripe.StripeError | OSError, settings: Settings) -> Finding:
    check, base = "secret key", settings.stripe_api_base
    if isinstance(error, stripe.AuthenticationError):
        return fail(check, "Stripe refuses it", "Put a valid key into STRIPE_SECRET_KEY.")
    if isinstance(error, stripe.PermissionError):
        return fail(
            check,
            "it may not read what has to be looked at",
            "Let the restricted key read balance, webhook endpoints, events and Issuing.",
        )
    status = getattr(error, "http_status", None)
    seen = f"{base} answered {status}" if status else f"{base} does not answer"
    return fail(check, seen, "Look at status.stripe.com and at this machine's way out to it.")


def _key(answered: Answered, settings: Settings) -> Finding:
    check, live = "secret key", answered.balance.livemode
    if live is not settings.livemode:
        return fail(
            check,
            f"Stripe answers in {_mode(live)} mode to a key of {_mode(settings.livemode)} mode",
            "Look at STRIPE_SECRET_KEY and STRIPE_API_BASE.",
        )
    return ok(check, f"works, in {_mode(live)} mode")


def _publishable_key(settings: Settings) -> Finding:
    check, key = "publishable key", settings.stripe_publishable_key
    if not key:
        return warn(
            check, "is not set", "Set STRIPE_PUBLISHABLE_KEY: without it no card can be linked."
        )
    wanted = "pk_live_" if settings.livemode else "pk_test_"
    if not key.startswith(wanted):
        return fail(
            check,
            "is of another mode than the secret key",
            f"Set STRIPE_PUBLISHABLE_KEY to the one that begins with {wanted}.",
        )
    return ok(check, f"is of {_mode(settings.livemode)} mode, as the secret key")


def _clock(answered: Answered) -> Finding:
    skew = answered.clock_skew
    if skew is None:
        return warn("clock", "Stripe did not say what time it is", "Compare the clocks by hand.")
    if abs(skew) > MOST_SKEW_SECONDS:
        return warn(
            "clock",
            f"Stripe's is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} ours",
            "Have this machine follow a time server: at 300 s every webhook is refused.",
        )
    return ok("clock", f"agrees with Stripe's within {MOST_SKEW_SECONDS:.0f} s")


def _events(
    endpoints: list[Endpoint], settings: Settings, handled: Collection[str]
) -> list[Finding]:
    check, url = "events endpoint", settings.app_url.rstrip("/") + EVENTS_PATH
    ours = [endpoint for endpoint in endpoints if endpoint.url == url]
    if not ours:
        to_do = f"Create an event destination for it, with API version {STRIPE_VERSION}."
        return [fail(check, f"Stripe has none for {url}", to_do)]
    endpoint = next((each for each in ours if each.status == "enabled"), ours[0])
    if endpoint.status != "enabled":
        return [fail(check, f"{endpoint.id} is {endpoint.status}", "Enable it at Stripe.")]
    secrets = len(settings.events_secrets)
    found = [ok(check, f"{endpoint.id} is enabled; {secrets} secret{'s' * (secrets > 1)} known")]
    missing = sorted(set(handled) - set(endpoint.enabled_events))
    if "*" not in endpoint.enabled_events and missing:
        to_do = f"Have {endpoint.id} send them too, or all events."
        found.append(fail("events sent", f"without {', '.join(missing)}", to_do))
    else:
        found.append(ok("events sent", "all that we act on"))
    found.append(_version(endpoint))
    return found


def _version(endpoint: Endpoint) -> Finding:
    if endpoint.api_version != STRIPE_VERSION:
        named = endpoint.api_version or "the account's default"
        return warn(
            "API version",
            f"events are written in {named}, and we read {STRIPE_VERSION}",
            "Create the event destination anew with our version; it cannot be changed.",
        )
    return ok("API version", f"{STRIPE_VERSION}, for events and calls")


def _delivery(late: int) -> Finding:
    if late:
        return warn(
            "events delivered",
            f"{late}{' or more' if late == LOOKED_AT else ''} are older than a minute and are not",
            "Look whether Stripe reaches APP_URL, and whether STRIPE_EVENTS_WEBHOOK_SECRET is the"
            " secret of this endpoint.",
        )
    return ok("events delivered", "all that are older than a minute")


def _asked(past: list[PastAuthorization], settings: Settings) -> Finding:
    check, reasons = "real-time endpoint", _reasons(past)
    where = WHERE_REAL_TIME_IS_SET.format(url=settings.app_url.rstrip("/") + AUTHORIZATIONS_PATH)
    answered = sum(reasons[reason] for reason in ANSWERED_BY_US)
    if not answered:
        return warn(check, "Stripe has taken no answer of ours yet", where)
    asked = reasons.total()
    return ok(check, f"we answered {answered} of the last {asked} requests Stripe tells of")


def _default(past: list[PastAuthorization]) -> Finding:
    approved = [
        authorization.id
        for authorization in past
        for request in authorization.request_history
        if request.reason == "webhook_timeout" and request.approved
    ]
    if approved:
        return warn(
            "default answer",
            f"Stripe approves when we are late, as it did with {approved[0]}",
            "In Stripe's dashboard, Issuing, Settings: set the timeout to decline.",
        )
    return ok("default answer", "Stripe approved nothing that we answered too late")


def _errors(past: list[PastAuthorization]) -> Finding:
    count = _reasons(past)["webhook_error"]
    if count:
        return warn(
            "answers",
            f"Stripe could not use {count} of the last ones",
            "Read reason_message of the latest webhook_error at Stripe; is a proxy in between?",
        )
    return ok("answers", "Stripe could use all of the last ones")


def _float(answered: Answered, spent_minor: int | None) -> Finding:
    check, available = "float", answered.balance.issuing_minor()
    if available is None:
        return fail(check, "the account has no Issuing balance", "Have Stripe enable Issuing.")
    seen = f"{readable(available)} USD available"
    to_do = "Add funds in Stripe's dashboard, Issuing, Balance: Stripe declines without asking us."
    if available <= 0:
        return fail(check, seen, to_do)
    if spent_minor is not None and available < spent_minor:
        return warn(check, f"{seen}, less than the {readable(spent_minor)} of the last day", to_do)
    return ok(check, seen)


def _reasons(past: list[PastAuthorization]) -> Counter[str]:
    return Counter(request.reason for each in past for request in each.request_history)


def _mode(live: bool) -> str:  # noqa: FBT001  the answer to one question
    return "live" if live else "test"
