"""The form of a card's name, limits and uses: read, or told at each field what is wanted."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

import msgspec

from app.domain.funding.models import FundingSource
from app.domain.issuing.attention import named
from app.domain.issuing.cards import CardControls
from app.domain.issuing.cards_settings import UnusableLimits, UnusableNickname, check_limits
from app.domain.issuing.cards_settings import read_nickname as _read_nickname
from app.domain.issuing.category_groups import (
    CategoryGroup,
    single,
    spelled_out,
    whole_groups,
)
from app.money import UnreadableAmount, parse_amount, readable
from app.portal.card_bounds import read_countries, read_day, shown_countries, shown_day
from app.portal.visits import Form

LIMITS = ("daily", "monthly", "purchase")
ANY, FIRST, KEPT = "any", "first", "kept"
"""Where a card works: anywhere, at the first merchant only, or at the one it is locked to."""
_AT = "at:"
"""Or at a merchant that it was used at, by the network's id."""
ONLY = "only"
_SINGLE = "one:"
IN_ORDER = "order"
UNLINKED = "Choose one of your linked cards."


class Box(msgspec.Struct, frozen=True):
    """A kind of merchants that can be ticked."""

    value: str
    title: str
    ticked: bool


class CardForm(msgspec.Struct, frozen=True):
    """What stands in the form, and what is wanted at which field."""

    nickname: str
    daily: str
    monthly: str
    purchase: str
    lock: str
    single_use: bool
    only: bool
    boxes: Sequence[Box]
    merchants: Sequence[Box] = ()
    locked_to_one: bool = False
    payers: Sequence[tuple[str, str]] = ()
    pays: str = IN_ORDER
    countries: str = ""
    until: str = ""
    wanted: Mapping[str, str] = {}


def form_of(
    controls: CardControls,
    nickname: str = "",
    merchants: Mapping[str, str] | None = None,
    sources: Sequence[FundingSource] = (),
) -> CardForm:
    """Fill the form with what a card has; `merchants` are those it was used at, by their id.

    `sources`: the customer's linked cards, in their order.
    """
    limit, locked = controls.purchase_limit_minor, controls.merchant_lock
    lock = FIRST if controls.lock_to_first_merchant else ANY
    known = merchants or {}
    return CardForm(
        nickname=nickname,
        daily=readable(controls.daily_limit_minor),
        monthly=readable(controls.monthly_limit_minor),
        purchase=readable(limit) if limit is not None else "",
        lock=KEPT if locked else lock,
        single_use=controls.single_use,
        only=bool(controls.allowed_categories),
        boxes=_boxes(controls.allowed_categories),
        merchants=[Box(f"{_AT}{one}", known[one], one == locked) for one in known],
        locked_to_one=locked is not None and locked not in known,
        payers=[(str(one.id), named(one)) for one in sources],
        pays=str(controls.funding_source_id or IN_ORDER),
        countries=shown_countries(controls.allowed_countries),
        until=shown_day(controls.active_until),
    )


def read_controls(
    form: Form,
    before: CardControls,
    today: date,
    merchants: Mapping[str, str] | None = None,
    sources: Sequence[FundingSource] = (),
) -> tuple[CardControls, CardForm]:
    """Read what was sent over what a card had; `wanted` in the form is empty when all is well.

    `today` is business time's, in UTC.
    """
    wanted: dict[str, str] = {}
    limits = {name: _read_limit(form.text(name), name, wanted) for name in LIMITS}
    allowed = _read_kinds(form, before.allowed_categories, wanted)
    lock = form.text("lock")
    controls = msgspec.structs.replace(
        before,
        daily_limit_minor=limits["daily"] or 0,
        monthly_limit_minor=limits["monthly"] or 0,
        purchase_limit_minor=limits["purchase"],
        allowed_categories=allowed,
        merchant_lock=_locked_to(lock, before, merchants or {}),
        lock_to_first_merchant=lock == FIRST,
        single_use=form.text("single_use") == "yes",
        allowed_countries=read_countries(form.text("countries"), wanted),
        active_until=read_day(form.text("until"), before.active_until, today, wanted),
        funding_source_id=_read_payer(form.text("pays"), before, sources, wanted),
    )
    if not wanted:
        _check(controls, wanted)
    shown = msgspec.structs.replace(
        form_of(controls, form.text("nickname"), merchants, sources),
        **{name: form.text(name) for name in (*LIMITS, "countries", "until")},
        only=form.text("kinds") == ONLY,
        wanted=wanted,
    )
    return controls, shown


def _locked_to(lock: str, before: CardControls, merchants: Mapping[str, str]) -> str | None:
    """Give the id of the one merchant a card works at, if there is one."""
    if lock == KEPT:
        return before.merchant_lock
    network_id = lock.removeprefix(_AT)
    return network_id if lock.startswith(_AT) and network_id in merchants else None


def _read_payer(
    typed: str, before: CardControls, sources: Sequence[FundingSource], wanted: dict[str, str]
) -> UUID | None:
    """Give the linked card that pays first; a form without the field changes nothing about it."""
    if typed == IN_ORDER:
        return None
    found = next((one.id for one in sources if str(one.id) == typed), None)
    if typed and found is None:
        wanted["pays"] = UNLINKED
    return found if typed else before.funding_source_id


def nickname_wanted(typed: str) -> str:
    """Say what is wanted of a card's name; empty when it will do."""
    try:
        _read_nickname(typed)
    except UnusableNickname as refusal:
        return str(refusal)
    return ""


def _read_limit(typed: str, name: str, wanted: dict[str, str]) -> int | None:
    if name == "purchase" and not typed:
        return None
    try:
        minor = parse_amount(typed)
    except UnreadableAmount:
        wanted[name] = "Write an amount like 250.00."
        return None
    if minor == 0:
        wanted[name] = "Write an amount above 0.00. To stop a card, freeze it."
    return minor


def _read_kinds(form: Form, before: Sequence[str], wanted: dict[str, str]) -> list[str]:
    """Give the categories that are allowed; none when every kind of merchant is."""
    if form.text("kinds") != ONLY:
        return []
    ticked = form.several("kind")
    groups = [CategoryGroup(one) for one in ticked if one in list(CategoryGroup)]
    allowed = spelled_out(groups, [one for one in before if f"{_SINGLE}{one}" in ticked])
    if not allowed:
        wanted["kinds"] = "Tick the kinds of merchants where the card shall work."
    return allowed


def _check(controls: CardControls, wanted: dict[str, str]) -> None:
    try:
        check_limits(controls)
    except UnusableLimits as refusal:
        name, _, sentence = str(refusal).partition(": ")
        wanted[name] = f"{sentence[:1].upper()}{sentence[1:]}"


def _boxes(allowed: Sequence[str]) -> list[Box]:
    """Give the groups, and single categories of a card that has less than their whole group."""
    ticked = whole_groups(allowed) if allowed else []
    groups = [Box(one.value, one.value.capitalize(), one in ticked) for one in CategoryGroup]
    singles = [Box(f"{_SINGLE}{one}", _in_full(one), ticked=True) for one in single(allowed)]
    return [*groups, *singles]


def _in_full(one: str) -> str:
    """Name a category as Stripe does: in our words it may be called as the group it is of."""
    return one.replace("_", " ").capitalize()
