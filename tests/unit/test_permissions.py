"""The table of permissions, and the document that is written from it."""

from pathlib import Path
from types import SimpleNamespace

from app.admin.permission_table import lines
from app.admin.permissions import MATRIX, READS, holds
from app.db import create_engine, create_sessions
from app.domain.identity.states import Role
from tests.permissions import places, written

DOCUMENT = Path(__file__).parents[2] / "docs" / "permissions.md"


def test_the_document_says_what_the_table_says() -> None:
    told = "\n".join(lines()) + "\n"
    assert DOCUMENT.read_text() == told, "write it: python -m app.admin.permission_table"


def test_the_auditor_reads_all_and_changes_nothing_but_their_own_account() -> None:
    for view, grants in MATRIX.items():
        for action, granted in grants.items():
            may = holds(Role.AUDITOR, granted, action)
            assert may is (action in READS or view == "account"), (view, action)
            assert holds(Role.OWNER, granted, action)


async def test_every_page_and_action_is_in_the_list_of_who_may() -> None:
    engine = create_engine("postgresql://nobody@127.0.0.1:1/nothing")
    parts = SimpleNamespace(sessions=create_sessions(engine))
    found = [place.name for place in places(parts, {})]
    await engine.dispose()
    assert len(found) == len(set(found)), "a page or a list is there twice"
    assert set(found) == set(written()), "write who may into tests/permissions.txt"
