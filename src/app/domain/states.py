"""How state moves: every kind of thing has one table of allowed moves, and one way through it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

from app.errors import AppError

State = TypeVar("State", bound=StrEnum)
Moves = Mapping[State, frozenset[State]]


class IllegalMove(AppError, status=409):
    """The thing cannot go there from where it is."""


def check_move(moves: Moves[State], current: State, target: State) -> State:
    """Give the target when the table allows the move, or staying; raise IllegalMove otherwise."""
    if target is not current and target not in moves[current]:
        raise IllegalMove(f"what is {current} cannot become {target}")
    return target


def complete(moves: Mapping[State, set[State]], kind: type[State]) -> Moves[State]:
    """Freeze a table of moves, once it is sure that it names every state."""
    assert moves.keys() == set(kind), f"{kind.__name__}: a state is missing from its moves"
    return {state: frozenset(targets) for state, targets in moves.items()}
