"""`proxycard purchase` and `proxycard decision`: a purchase's trail, and deciding it again."""

import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import click
import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.cli_work import in_transaction
from app.db import Table
from app.domain.issuing.explanations import EXPLANATIONS
from app.domain.issuing.flight import Flight, flights, knew
from app.domain.issuing.models import AuthorizationRequest
from app.domain.issuing.replay import Compared, Replayed, count_missing, replay
from app.domain.issuing.rule_book import list_rules, rule_of
from app.domain.issuing.story import PurchaseNotFound, Story, purchase_that_begins, tell
from app.domain.issuing.story_lines import story_lines
from app.domain.issuing.story_time import moments, totals_of
from app.domain.ledger.models import JournalEntry

DIFFERENT, NOTHING_RECORDED = 1, 2


class Again(msgspec.Struct, frozen=True):
    """A request decided again; without a record of it, `flight.missing` says why it was not."""

    request: AuthorizationRequest
    flight: Flight
    replayed: Replayed | None
    # Names of the rules, by id.
    rules: dict[UUID, str]


@click.command()
@click.argument("purchase_id", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="Everything as one JSON object.")
def purchase(purchase_id: str, *, as_json: bool) -> None:
    """Tell all there is about the purchase ID: Stripe's id, ours, or the beginning of either."""

    async def work(session: AsyncSession, _: datetime) -> Story:
        return await tell(session, await purchase_that_begins(session, purchase_id))

    story = in_transaction(work)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(_as_data(story))).decode())
        return
    for line in story_lines(story):
        click.echo(line)


@click.group()
def decision() -> None:
    """Look at how purchases are decided."""


@decision.command("replay")
@click.argument("wanted", metavar="ID")
def decision_replay(wanted: str) -> None:
    """Decide again what is recorded of the request or purchase ID, by today's program and rules.

    Exits with 0 when the decision is the same, with 1 when it is another one, and with 2 when
    nothing was recorded.
    """
    done = in_transaction(lambda session, now: _again(session, wanted, now))
    for again in done:
        for line in _again_lines(again):
            click.echo(line)
    replayed = [again.replayed for again in done if again.replayed]
    if not replayed:
        sys.exit(NOTHING_RECORDED)
    sys.exit(0 if all(one.same for one in replayed) else DIFFERENT)


async def _again(session: AsyncSession, wanted: str, now: datetime) -> list[Again]:
    requests = await _requests(session, wanted)
    recorded = await flights(session, requests)
    rows = await list_rules(session)
    rules = [rule for rule in map(rule_of, rows) if rule.in_force(now)]
    known = {key: flight.facts for key, flight in recorded.items() if flight.facts}
    facts = await count_missing(session, known, rules)
    names = {row.id: row.name for row in rows}
    return [
        Again(
            request,
            recorded[request.id],
            replay(request, facts[request.id], recorded[request.id].verdicts, rules)
            if request.id in facts
            else None,
            names,
        )
        for request in requests
    ]


async def _requests(session: AsyncSession, wanted: str) -> list[AuthorizationRequest]:
    """Give one request by our id of it, or all of a purchase."""
    try:
        one = await session.get(AuthorizationRequest, UUID(wanted.strip()))
    except ValueError:
        one = None
    if one is not None:
        return [one]
    bought = await purchase_that_begins(session, wanted)
    found = await session.scalars(
        select(AuthorizationRequest)
        .where(AuthorizationRequest.authorization_id == bought.id)
        .order_by(AuthorizationRequest.ordinal)
    )
    requests = list(found)
    if not requests:
        raise PurchaseNotFound("the purchase has no request")
    return requests


def _again_lines(again: Again) -> Iterator[str]:
    request, replayed = again.request, again.replayed
    yield f"Request {request.ordinal + 1}, {request.id}, answered: {request.state}"
    if replayed is None:
        yield f"  {again.flight.missing}"
        return
    yield f"  then   {replayed.then}"
    yield f"  today  {replayed.today}{'' if replayed.same else '   <- different'}"
    for one in replayed.checks:
        yield _check_line(one, again.rules)


def _check_line(one: Compared, rules: dict[UUID, str]) -> str:
    name = rules.get(one.rule, "a rule that is gone") if one.rule else None
    what = f"{one.check}: {name}" if name else one.check
    if one.same:
        return f"    {what:<48} {one.today}"
    return f"  * {what:<48} {one.then or 'not run'} -> {one.today or 'not run'}"


def _as_data(story: Story) -> dict[str, Any]:
    told = moments(story)
    return {
        "purchase": _row(story.purchase),
        "customer": {"id": story.customer.id, "name": story.customer.name}
        if story.customer
        else None,
        "card": _row(story.card) if story.card else None,
        "requests": [_request(story, request) for request in story.requests],
        "captures_and_refunds": [_row(taken) for taken in story.transactions],
        "refunds": [_row(refund) for refund in story.refunds],
        "receivables": [_row(debt) for debt in story.debts],
        "journals": [_row(entry) for entry in story.journals],
        "funding": story.funding,
        "earned_minor": story.earned_minor,
        "trail": told,
        "totals": totals_of(told),
    }


def _request(story: Story, request: AuthorizationRequest) -> dict[str, Any]:
    flight = story.flights[request.id]
    charges = [one for one in story.charges if one.charge.request_id == request.id]
    return _row(request) | {
        "explanation": EXPLANATIONS[request.reason] if request.reason else None,
        "facts": flight.facts,
        "facts_in_words": dict(knew(flight.facts)) if flight.facts else None,
        "no_record_because": flight.missing,
        "verdicts": [
            msgspec.to_builtins(verdict) | {"rule_name": flight.rule_name(verdict)}
            for verdict in flight.verdicts
        ],
        "attempts": [
            _row(one.charge)
            | {"linked_card": f"{one.source.brand} {one.source.last4}" if one.source else None}
            for one in charges
        ],
    }


def _row(row: Table | JournalEntry) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns}
