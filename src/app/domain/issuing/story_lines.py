"""A purchase's whole story as lines of text, for a terminal. Pure."""

from collections.abc import Iterator, Sequence

from app.domain.issuing.decision import PASSED, Verdict
from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.flight import Flight, knew
from app.domain.issuing.models import AuthorizationRequest
from app.domain.issuing.states import RequestState
from app.domain.issuing.story import Story
from app.domain.issuing.story_time import Moment, moments
from app.domain.issuing.story_totals import Totals
from app.money import readable

STEPS = ("verify", "record", "rules", "decide", "hold", "write", "total")


def story_lines(story: Story) -> Iterator[str]:
    """Give the lines: what was bought, each request with all that led to its answer, the money."""
    purchase, card, customer = story.purchase, story.card, story.customer
    place = " · ".join(filter(None, (purchase.merchant_country, purchase.merchant_city)))
    kind = purchase.merchant_category.replace("_", " ")
    yield (
        f"{readable(story.asked_minor)} {purchase.currency.upper()} at {purchase.merchant_name}"
        f" ({' · '.join(filter(None, (kind, place)))})"
    )
    yield _line("Stripe's id", purchase.stripe_authorization_id)
    yield _line("Our id", purchase.id)
    yield _line("Time", f"{purchase.occurred_at:%Y-%m-%d %H:%M:%S} UTC")
    word = FORCED if purchase.forced else _WORD[purchase.approved]
    yield _line("State", f"{word}, {purchase.state} at Stripe")
    yield _line("Customer", customer.name if customer else "unknown")
    yield _line("Card", f"{card.nickname} ···· {card.last4}, {card.state}" if card else "unknown")
    if purchase.not_handled:
        yield _line("Not handled", purchase.not_handled)
    for request in story.requests:
        yield ""
        yield from _request(story, request)
    yield ""
    yield from _trail(moments(story))
    yield ""
    yield _money(story)


def verdict_line(verdict: Verdict, flight: Flight) -> str:
    """Write what a check or a rule said, and why where it did not just pass."""
    rule = flight.rule_name(verdict)
    what = f"{verdict.check}: {rule}" if rule else verdict.check
    why = f" ({EXPLANATIONS[verdict.reason].short})" if verdict.reason else ""
    return f"{verdict.verdict:<13}{what}{why}"


def _request(story: Story, request: AuthorizationRequest) -> Iterator[str]:
    asked = f"{readable(request.amount_minor)} {request.currency.upper()}"
    answer: str = request.state
    minor = request.approved_minor
    if request.state is RequestState.APPROVED and minor not in (None, request.amount_minor):
        answer = f"approved for {readable(minor or 0)}"
    yield (
        f"Request {request.ordinal + 1}, {request.requested_at:%Y-%m-%d %H:%M:%S} UTC:"
        f" {asked}, {answer}"
    )
    yield _line("Our id", request.id)
    if request.reason is not None:
        told = EXPLANATIONS[request.reason]
        yield _line("Why", f"{told.short}: {told.decided_by}")
        yield _line("What happened", told.staff)
        yield _line("Customer reads", told.customer)
        yield _line("Next step", told.next_step)
        yield _line("Allow once", "possible" if told.allow_once else "no")
    certain = f"certain since {request.verified_at:%H:%M:%S}" if request.verified_at else "open"
    because = f" ({request.stripe_reason})" if request.stripe_reason else ""
    yield _line("Stripe says", f"{_WORD[request.stripe_approved]}{because}, {certain}")
    yield from _recorded(story.flights[request.id])
    yield from _attempts(story, request)
    times = [f"{step} {request.step_ms[step]:.1f}" for step in STEPS if step in request.step_ms]
    yield _line("Milliseconds", " · ".join(times) or "none were taken")


def _recorded(flight: Flight) -> Iterator[str]:
    if flight.facts is None:
        yield _line("Record", flight.missing)
        return
    yield "  What we knew"
    for title, words in knew(flight.facts):
        yield f"    {title:<24} {words}"
    yield "  What was checked, in order"
    for verdict in flight.verdicts:
        yield f"  {'  ' if verdict.verdict == PASSED else '> '}{verdict_line(verdict, flight)}"


def _attempts(story: Story, request: AuthorizationRequest) -> Iterator[str]:
    made = [one for one in story.charges if one.charge.request_id == request.id]
    if not made:
        yield _line("Linked cards", "none was charged")
    for one in made:
        charge, source = one.charge, one.source
        card = f"{source.brand} ···· {source.last4}" if source else "a linked card"
        bank = ", ".join(filter(None, (charge.decline_code, charge.advice_code)))
        said = f", the bank: {bank.replace('_', ' ')}" if bank else ""
        put = f"{readable(charge.amount_minor)} on {card}, {charge.state}{said}"
        intent = charge.stripe_payment_intent_id or "no PaymentIntent"
        yield _line(f"Attempt {charge.attempt}", f"{put} · {intent}")


def _trail(told: Sequence[Moment]) -> Iterator[str]:
    yield "All that happened, as our database saw it (UTC)"
    for moment in told:
        was = f" (it was {moment.happened:%Y-%m-%d %H:%M:%S})" if moment.happened else ""
        key = f" · {moment.key}" if moment.kind == "journal" else ""
        yield f"  {moment.at:%Y-%m-%d %H:%M:%S}  {moment.kind:<9} {moment.what}{key}{was}"
        for line in moment.lines:
            yield f"  {'':<31}{line}"
        if moment.totals is not None:
            yield f"  {'':<21}{'= ' + _sums(moment.totals)}"


def _sums(totals: Totals) -> str:
    return ", ".join(f"{title} {readable(minor)}" for title, minor in totals.in_words)


def _money(story: Story) -> str:
    held = story.funding
    returned = story.returned_fee_minor
    kept = f", of it returned {readable(returned)}" if returned else ""
    return (
        f"Held {readable(held.held_minor)}, charged {readable(held.charged_minor)},"
        f" given back {readable(held.refunded_minor)}, earned {readable(story.earned_minor)}{kept}"
    )


def _line(title: str, words: object) -> str:
    return f"  {title:<16}{words}"


FORCED = "forced capture: the merchant took this without an authorization"
_WORD = {True: "approved", False: "declined", None: "not known yet"}
