"""A list that only reads: SQLAdmin's, with counting, filters, search and cells of our own.

SQLAdmin counts every row of a table for each page; here the count stops at COUNTED, nothing runs
longer than LONGEST_QUERY, and older rows are reached by the date filter instead of by paging.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from sqladmin import ModelView, expose
from sqladmin.pagination import Pagination
from sqlalchemy import Select, func, literal, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from app.admin.noting import note
from app.admin.permissions import EXPORT, FULL_EMAIL, TOTALS, allowed
from app.admin.views.cells import SHARED, Cell, label, plain, zone_of
from app.admin.views.exporting import ROOM, written
from app.admin.views.filters import Filter
from app.admin.views.names import names_of
from app.admin.views.searching import Search
from app.admin.wording import amount, words
from app.domain.identity.audit import Subject
from app.errors import AppError

COUNTED = 10_000
COUNTED_READING = 1_000
"""Where each row has to be looked at for more than it holds itself."""
LONGEST_QUERY = "3s"
LONGEST_QUERY_TOLD = 300
OF_ONE = ("customer", "card", "source", "purchase")
TOO_LONG = "This takes too long to look through. Choose fewer days."
CANCELED = "57014"  # https://www.postgresql.org/docs/current/errcodes-appendix.html

View = TypeVar("View", bound=type[ModelView])


def at(address: str) -> Any:
    """Give a list its address under /admin, which is also its name in the permissions' table.

    SQLAdmin would name it after its table's class, of which there may be two lists.
    """

    def placed(view: View) -> View:
        view.identity = address
        return view

    return placed


def choices(kind: type[StrEnum]) -> dict[str, tuple[str, Sequence[Any]]]:
    """Give the choices of a filter by state: every state, in words."""
    return {member.value: (words(member), (member,)) for member in kind}


class ReadOnlyList(ModelView):
    """Shows rows newest first. What may be done to them has pages of its own."""

    can_create = can_edit = can_delete = can_export = can_import = False
    list_template = "lists/list.html"
    details_template = "lists/details.html"
    page_size = 50
    page_size_options = (25, 50, 100)

    name_plural: ClassVar[str]
    note: ClassVar[str] = ""
    # What its rows tell about people is a read on the trail: a record, and a list with addresses.
    personal: ClassVar[bool] = False
    filters: ClassVar[Sequence[Filter]] = ()
    search: ClassVar[Search | None] = None
    # The column that sorts another one's heading, where the one shown has no index.
    sorts: ClassVar[Mapping[str, str]] = {}
    # Cells of this list that differ from what the field's name and value say.
    cells: ClassVar[Mapping[str, Cell]] = {}
    record_cells: ClassVar[Mapping[str, Cell]] = {}

    # Amounts that are added up over all that the filters choose.
    summed: ClassVar[Sequence[str]] = ()

    @expose("/export", methods=["GET"])
    async def export(self, request: Request) -> Response:
        """Give exactly what the filters choose as a file. Raises what a filter raises."""
        if not allowed(request.state.staff, self.identity, EXPORT):
            raise HTTPException(403)
        statement = self.sort_query(await self._narrowed(request), request)
        ROOM.enter()
        told = {"query": request.url.query[:LONGEST_QUERY_TOLD]}
        await note(request, f"{self.identity}.export", Subject("list", self.identity), told)
        name = f"{self.identity}-{request.state.parts.clock.now():%Y%m%d-%H%M}.csv"
        lines = written(self, self._list_prop_names, request, statement)
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)

    def row_href(self, row: Any) -> str:
        """Give the address of a row's own page."""
        return f"/admin/{self.identity}/details/{row.id}"

    def related(self, row: Any) -> list[tuple[str, str]]:  # noqa: ARG002  most have none
        """Give titles and addresses of what belongs to a record."""
        return []

    def heading(self, row: Any) -> str:  # noqa: ARG002  most have none
        """Name a record; without one its list's name has to do."""
        return self.name

    def label(self, field: str) -> str:
        return self._column_labels.get(field) or label(field)

    async def list(self, request: Request) -> Pagination:
        """Give the page asked for. A filter that cannot be read shows no rows and says why."""
        page = max(1, self.validate_page_number(request.query_params.get("page"), 1))
        size = self.validate_page_number(request.query_params.get("pageSize"), self.page_size)
        size = size if size in self.page_size_options else self.page_size
        request.state.problem, request.state.sums, request.state.reads_through = None, [], False
        try:
            statement = await self._narrowed(request)
        except AppError as problem:
            request.state.problem = str(problem)
            return await self._nothing(request, size)
        try:
            return await self._note_list(request, await self._read(request, statement, page, size))
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != CANCELED:
                raise
            request.state.problem = TOO_LONG
            return await self._nothing(request, size)

    async def get_object_for_details(self, request: Request) -> Any:
        """Give the record with the names of what it points at, or None."""
        try:
            row = await super().get_object_for_details(request)
        except (ValueError, DBAPIError):
            raise HTTPException(404) from None  # The address holds no id of this table's kind.
        async with self.session_maker() as session:
            request.state.names = await names_of(session, [row] if row else [])
        # SQLAdmin reads a record twice: to see whether it may be seen, and to show it.
        if self.personal and row is not None and not hasattr(request.state, "noted"):
            request.state.noted = True
            await note(request, f"{row.__tablename__}.read", row)
        return row

    async def get_list_value(
        self, obj: Any, prop: str, request: Request | None = None
    ) -> tuple[Any, Any]:
        assert request is not None
        cell = self.cells.get(prop) or SHARED.get(prop, plain)
        return None, cell(obj, prop, request)

    async def get_detail_value(
        self, obj: Any, prop: str, request: Request | None = None
    ) -> tuple[Any, Any]:
        assert request is not None
        cell = self.record_cells.get(prop) or self.cells.get(prop) or SHARED.get(prop, plain)
        return None, cell(obj, prop, request)

    def sort_query(self, stmt: Select[Any], request: Request) -> Select[Any]:
        """Sort as asked, and by id among equals, so that no row is on two pages."""
        return super().sort_query(stmt, request).order_by(self.pk_columns[0].desc())

    def given_filters(self, request: Request) -> dict[str, str]:
        """Give the filters' fields that the address fills."""
        fields = [field for one in self.filters for field in one.fields]
        given = request.query_params
        return {field: given[field] for field in fields if given.get(field)}

    async def _narrowed(self, request: Request) -> Select[Any]:
        statement: Select[Any] = self.list_query(request)
        given, zone = request.query_params, zone_of(request)
        for one in self.filters:
            statement = one.narrow(statement, given, zone)
        term = given.get("search", "").replace("\0", "").strip()[:100]
        if term and self.search is not None:
            async with self.session_maker() as session:
                found = await self.search.matching(session, term)
            statement = statement.where(found.condition)
            request.state.reads_through = found.reads_through
        return statement

    def counted(self, request: Request) -> int:
        """Give up to how many rows are counted and added up."""
        return COUNTED_READING if request.state.reads_through else COUNTED

    async def _read(
        self, request: Request, statement: Select[Any], page: int, size: int
    ) -> Pagination:
        table: Any = self.model
        most = request.state.counted = self.counted(request)
        columns = [getattr(table, field).label(field) for field in self.summed]
        currency = table.currency if columns else literal("")
        chosen = (
            statement.with_only_columns(
                currency.label("currency"), *columns, maintain_column_froms=True
            )
            .order_by(None)
            .limit(most + 1)
            .subquery()
        )
        sums = select(
            chosen.c.currency, func.count(), *(func.sum(chosen.c[field]) for field in self.summed)
        ).group_by(chosen.c.currency)
        async with self.session_maker() as session:
            await session.execute(text(f"SET LOCAL statement_timeout = '{LONGEST_QUERY}'"))
            added = (await session.execute(sums.order_by(chosen.c.currency))).all()
            count = sum(row[1] for row in added)
            self._tell_sums(request, added, count)
            page = min(page, Pagination.max_page(min(count, most), size))
            ordered = self.sort_query(statement, request).limit(size).offset((page - 1) * size)
            rows = (await session.scalars(ordered)).all()
            await self._name(request, session, rows)
        return Pagination(rows=list(rows), page=page, page_size=size, count=count)

    def _tell_sums(self, request: Request, added: Sequence[Any], count: int) -> None:
        """Keep for the page what the rows add up to, unless there are too many of them."""
        if count <= request.state.counted and _may_sum(request):
            request.state.sums = self._sums(added)

    def _sums(self, added: Sequence[Any]) -> Sequence[tuple[str, str]]:
        """Name each sum and write it, currency by currency."""
        return [
            (self.label(field), amount(int(minor), row[0]))
            for row in added
            for field, minor in zip(self.summed, row[2:], strict=True)
            if minor is not None
        ]

    async def _note_list(self, request: Request, found: Pagination) -> Pagination:
        """Tell the trail of a list that shows whole e-mail addresses, and how it was narrowed."""
        full = self.personal and allowed(request.state.staff, self.identity, FULL_EMAIL)
        if full and found.rows:
            told = {"rows": len(found.rows), "query": request.url.query[:LONGEST_QUERY_TOLD]}
            await note(request, f"{self.identity}.read", Subject("list", self.identity), told)
        return found

    async def _nothing(self, request: Request, size: int) -> Pagination:
        async with self.session_maker() as session:
            await self._name(request, session, [])
        return Pagination(rows=[], page=1, page_size=size, count=0)

    async def _name(self, request: Request, session: AsyncSession, rows: Sequence[Any]) -> None:
        """Look up what the rows and the filters point at."""
        given = (request.query_params.get(one.fields[0], "") for one in self.filters)
        request.state.names = await names_of(session, rows, filter(None, map(_as_id, given)))


def _may_sum(request: Request) -> bool:
    """Sums of the company are for who may see totals; those of one customer are for everybody."""
    of_one = any(request.query_params.get(field) for field in OF_ONE)
    return of_one or allowed(request.state.staff, "home", TOTALS)


def _as_id(value: str) -> UUID | None:
    try:
        return UUID(value)
    except ValueError:
        return None
