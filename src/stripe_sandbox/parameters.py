"""Checks a request's parameters against the types by which the `stripe` package sends them.

The messages and codes are Stripe's own (https://docs.stripe.com/error-codes); which parameters
exist, which are needed and what they hold is read from the package's TypedDicts, so that it is
always what the pinned version of the interface takes.
"""

import functools
import types
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, Union, get_args, get_origin

import typing_extensions
from stripe import _request_options
from stripe._stripe_object import UntypedStripeObject

from stripe_sandbox.errors import StripeError
from stripe_sandbox.wire import bracketed

Place = tuple[str | int, ...]
Checker = Callable[[Any, Place], Any]

# Gone from the interface, with an error that says so
# (https://docs.stripe.com/changelog, 2026-09-30.endive).
REMOVED = {
    "payment_method_types": StripeError(
        "payment_method_types is no longer supported. Use allowed_payment_method_types instead.",
        code="payment_method_types_no_longer_supported",
        param="payment_method_types",
    )
}
# Some of the types mix in how to send a request; these names resolve that part of them.
OPTION_NAMES = vars(_request_options) | {"StripeContext": Any}
LONGEST_METADATA_KEY = 40
LONGEST_METADATA_VALUE = 500
MOST_METADATA = 50


def check(kind: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Give the parameters as Python values, or raise the error that Stripe answers.

    `kind` is the call's TypedDict; None takes nothing but `expand`.
    """
    checked = _record(kind)(given, ()) if kind is not None else _only_expand(given)
    assert isinstance(checked, dict)
    return checked


def _only_expand(given: dict[str, Any]) -> dict[str, Any]:
    _refuse_unknown(given, {"expand"}, ())
    if "expand" not in given:
        return {}
    return {"expand": _list(_string)(given["expand"], ("expand",))}


@functools.cache
def _record(kind: Any) -> Checker:
    """The checker of a TypedDict. Its fields' checkers are made when first needed."""
    hints = typing_extensions.get_type_hints(kind, localns=OPTION_NAMES)
    for name in _request_options.RequestOptions.__annotations__:
        hints.pop(name, None)
    required = [name for name in hints if name in kind.__required_keys__]
    checkers: dict[str, Checker] = {}

    def check_record(given: Any, place: Place) -> dict[str, Any]:
        if not isinstance(given, dict):
            raise StripeError("Invalid object", param=bracketed(place))
        _refuse_unknown(given, hints.keys(), place)
        for name in required:
            if name not in given:
                missing = bracketed((*place, name))
                raise StripeError(
                    f"Missing required param: {missing}.", code="parameter_missing", param=missing
                )
        checked = {}
        for name, value in given.items():
            if name not in checkers:
                checkers[name] = _checker(hints[name])
            checked[name] = checkers[name](value, (*place, name))
        return checked

    return check_record


def _refuse_unknown(given: Mapping[str, Any], known: Any, place: Place) -> None:
    unknown = [name for name in given if name not in known]
    if not unknown:
        return
    if not place and unknown[0] in REMOVED:
        raise REMOVED[unknown[0]]
    names = [bracketed((*place, name)) for name in unknown]
    plural = "s" if len(names) > 1 else ""
    raise StripeError(
        f"Received unknown parameter{plural}: {', '.join(names)}",
        code="parameter_unknown",
        param=names[0],
    )


def _checker(hint: Any) -> Checker:
    """The checker of one type: a scalar, an enum, a hash, a list, or alternatives of these."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _alternatives([arg for arg in args if arg is not type(None)])
    if origin is Literal:
        return _enum(args)
    if origin is list:
        return _list(_checker(args[0]))
    if typing_extensions.is_typeddict(hint):
        return _record(hint)
    return _map if origin is dict else SCALARS.get(hint, _anything)


def _alternatives(hints: list[Any]) -> Checker:
    """Alternatives as Stripe's types have them.

    An enum is a Literal or any string; `""` unsets; a hash may stand beside a scalar.
    """
    literals = [value for hint in hints if get_origin(hint) is Literal for value in get_args(hint)]
    names = [value for value in literals if value != ""]
    rest = [hint for hint in hints if get_origin(hint) not in (Literal, UntypedStripeObject)]
    nested = [hint for hint in rest if _is_nested(hint)]
    scalars = [hint for hint in rest if hint not in nested]
    enum = _enum(tuple(literals)) if names else None
    check_nested = _checker(nested[0]) if nested else None
    check_scalar = _checker(scalars[0]) if scalars else None

    def check_alternatives(given: Any, place: Place) -> Any:
        if given == "" and "" in literals:
            return ""
        if isinstance(given, dict) and check_nested is not None:
            return check_nested(given, place)
        is_typed = check_scalar in (_integer, _number, _boolean)
        if enum is not None and not (is_typed and given not in names):
            return enum(given, place)
        if check_scalar is not None:
            return check_scalar(given, place)
        if check_nested is not None:
            return check_nested(given, place)
        return _enum(tuple(literals))(given, place)

    return check_alternatives


def _is_nested(hint: Any) -> bool:
    return get_origin(hint) in (list, dict) or typing_extensions.is_typeddict(hint)


def _enum(values: tuple[Any, ...]) -> Checker:
    names = [str(value) for value in values if value != ""]
    shown = f"{', '.join(names[:-1])}, or {names[-1]}" if len(names) > 2 else " or ".join(names)  # noqa: PLR2004  three and more take commas

    def check_enum(given: Any, place: Place) -> Any:
        if given in values:
            return given
        if isinstance(given, dict):
            raise StripeError("Invalid string: {}", param=bracketed(place))
        raise StripeError(
            f"Invalid {bracketed(place)}: must be one of {shown}", param=bracketed(place)
        )

    return check_enum


def _list(check_item: Checker) -> Checker:
    def check_list(given: Any, place: Place) -> list[Any]:
        if given == "":
            return []
        if not isinstance(given, dict) or not all(key.isdecimal() for key in given):
            raise StripeError("Invalid array", param=bracketed(place))
        ordered = sorted(given.items(), key=lambda item: int(item[0]))
        return [check_item(value, (*place, int(index))) for index, value in ordered]

    return check_list


def _map(given: Any, place: Place) -> dict[str, str]:
    """A map of strings, which is what metadata is (https://docs.stripe.com/api/metadata)."""
    if not isinstance(given, dict):
        raise StripeError("Invalid hash", param=bracketed(place))
    if len(given) > MOST_METADATA:
        raise StripeError(f"Metadata can have up to {MOST_METADATA} keys.", param=bracketed(place))
    for name, value in given.items():
        where = bracketed((*place, name))
        if not isinstance(value, str):
            raise StripeError("Invalid string", param=where)
        if len(name) > LONGEST_METADATA_KEY:
            raise StripeError(
                f"Metadata keys can have up to {LONGEST_METADATA_KEY} characters, but you passed in"
                f" a key with {len(name)} characters.",
                param=where,
            )
        if len(value) > LONGEST_METADATA_VALUE:
            raise StripeError(
                f"Metadata values can have up to {LONGEST_METADATA_VALUE} characters, but you "
                f"passed in a value that is {len(value)} characters.",
                param=where,
            )
    return dict(given)


def _string(given: Any, place: Place) -> str:
    """A value that has to be there and be a string."""
    where = bracketed(place)
    if not isinstance(given, str):
        raise StripeError("Invalid string: {}", param=where)
    if given == "":
        raise StripeError(
            f"You passed an empty string for '{where}'. We assume empty values are an attempt to "
            f"unset a parameter; however '{where}' cannot be unset. You should remove '{where}' "
            "from your request or supply a non-empty value.",
            code="parameter_invalid_empty",
            param=where,
        )
    return given


def _integer(given: Any, place: Place) -> int:
    text = _string(given, place)
    if not text.removeprefix("-").isdecimal() or not text.isascii() or len(text) > 18:  # noqa: PLR2004  digits
        raise StripeError(
            f"Invalid integer: {text}", code="parameter_invalid_integer", param=bracketed(place)
        )
    return int(text)


def _boolean(given: Any, place: Place) -> bool:
    text = _string(given, place)
    if text not in ("true", "false"):
        raise StripeError(f"Invalid boolean: {text}", param=bracketed(place))
    return text == "true"


def _decimal(given: Any, place: Place) -> str:
    text = _string(given, place)
    try:
        is_finite = Decimal(text).is_finite()
    except InvalidOperation:
        is_finite = False
    if not is_finite:
        raise StripeError(f"Invalid decimal: {text}", param=bracketed(place))
    return text


def _number(given: Any, place: Place) -> float:
    return float(_decimal(given, place))


def _anything(given: Any, place: Place) -> Any:  # noqa: ARG001  a checker like the others
    return given


SCALARS: Mapping[Any, Checker] = {
    str: _string,
    int: _integer,
    bool: _boolean,
    float: _number,
    Decimal: _decimal,
}
