"""docs/permissions.md: the table of permissions as people read it.

`python -m app.admin.permission_table > docs/permissions.md` writes it anew.
"""

from collections.abc import Iterator

from app.admin.permissions import MATRIX, holds
from app.admin.wording import words
from app.domain.identity.states import Role

HEAD = """# Who may do what

Written from `src/app/admin/permissions.py`, the one table that the menu, every page and every
action read: `python -m app.admin.permission_table > docs/permissions.md` writes it anew, and a test
fails when it differs.

Roles add up: who holds two may do what either may. The owner holds all. The auditor reads all and
changes nothing (but ends sessions of their own). Support sees e-mail addresses masked and no totals
of the company. What is not in the table nobody may do. Nobody decides what they asked for
themselves: the database refuses it.

| page or list | action | {roles} |
|---|---|{lines}|"""


def lines() -> Iterator[str]:
    """Give the document's lines."""
    roles = list(Role)
    yield HEAD.format(roles=" | ".join(roles), lines="|".join("---" for _ in roles))
    for view, grants in MATRIX.items():
        for action, granted in grants.items():
            marks = ("yes" if holds(role, granted, action) else "" for role in roles)
            yield f"| {view.replace('-', ' ')} | {words(action)} | {' | '.join(marks)} |"


if __name__ == "__main__":
    for line in lines():
        print(line)  # noqa: T201  this is what it is for
