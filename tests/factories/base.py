"""What every factory needs: values that a row wants and no test looks at."""

from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID, uuid4

from polyfactory import Use
from polyfactory.factories.sqlalchemy_factory import SQLAlchemyFactory
from uuid_utils.compat import uuid7

from app.db import Table

Row = TypeVar("Row", bound=Table)


def now() -> datetime:
    return datetime.now(UTC)


def nothing_listed() -> list[UUID]:
    return []


def nothing_told() -> dict[str, Any]:
    return {}


def a_condition() -> dict[str, Any]:
    return {"kind": "risk_score", "at_least": 90}


def named(prefix: str) -> Any:
    return Use(lambda: f"{prefix}_{uuid4().hex}")


class TableFactory(SQLAlchemyFactory[Row]):
    __is_base_factory__ = True
    __set_relationships__ = False
    __random_seed__ = 1

    id = Use(uuid7)
    created_at = Use(now)
