"""Databases for one test after another: emptied in between, which takes a tenth of a new copy.

One whose schema, rights or settings a test has changed is not given to another.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from local_stack.refusal import Refusal
from tests.postgres import PostgresServer

USED_AT_MOST = 25
"""What was deleted stays in the files, and would slow the later tests."""

KEEP_SEEDS = """
CREATE SCHEMA seeds;
DO $$
DECLARE
    named name;
    used boolean;
BEGIN
    FOR named IN SELECT relname FROM pg_class
                  WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', named) INTO used;
        IF used THEN
            EXECUTE format('CREATE TABLE seeds.%1$I AS TABLE public.%1$I', named);
        END IF;
    END LOOP;
END $$;
"""
"""A copy of what the migrations themselves have put into tables."""

EMPTY = """
SET client_min_messages = warning;
SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() \\g /dev/null
BEGIN;
SET LOCAL session_replication_role = replica;
DO $$
DECLARE
    named name;
    used boolean;
BEGIN
    FOR named IN SELECT relname FROM pg_class
                  WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
                    AND NOT relispartition
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM public.%I)', named) INTO used;
        IF used THEN
            EXECUTE format('DELETE FROM public.%I', named);
        END IF;
    END LOOP;
    FOR named IN SELECT relname FROM pg_class WHERE relnamespace = 'seeds'::regnamespace LOOP
        EXECUTE format(
            'INSERT INTO public.%1$I OVERRIDING SYSTEM VALUE SELECT * FROM seeds.%1$I', named);
    END LOOP;
    FOR named IN SELECT sequencename FROM pg_sequences
                  WHERE schemaname = 'public' AND last_value IS NOT NULL
    LOOP
        EXECUTE format('ALTER SEQUENCE public.%I RESTART', named);
    END LOOP;
END $$;
COMMIT;
"""
"""Triggers that keep rows from being deleted do not fire for a replica."""

SHAPE = """
SELECT md5(concat_ws(E'\\n',
    (SELECT string_agg(concat_ws(' ', nspname, nspacl), ';' ORDER BY nspname)
       FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%'),
    (SELECT string_agg(concat_ws(' ', oid, relname, relkind, relowner, relacl, reloptions,
                                 relhastriggers, relrowsecurity), ';' ORDER BY oid)
       FROM pg_class WHERE relnamespace = 'public'::regnamespace),
    (SELECT string_agg(concat_ws(' ', attrelid, attnum, attname, atttypid, attnotnull, atthasdef,
                                 attacl), ';' ORDER BY attrelid, attnum)
       FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
      WHERE relnamespace = 'public'::regnamespace),
    (SELECT string_agg(concat_ws(' ', tgrelid, tgname, tgenabled), ';' ORDER BY tgrelid, tgname)
       FROM pg_trigger WHERE NOT tgisinternal),
    (SELECT string_agg(concat_ws(' ', oid, conname, convalidated, pg_get_constraintdef(oid)), ';'
                       ORDER BY oid)
       FROM pg_constraint WHERE connamespace = 'public'::regnamespace),
    (SELECT string_agg(concat_ws(' ', proname, prosrc, proacl), ';' ORDER BY oid)
       FROM pg_proc WHERE pronamespace = 'public'::regnamespace),
    (SELECT string_agg(concat_ws(' ', adrelid, adnum, pg_get_expr(adbin, adrelid)), ';'
                       ORDER BY adrelid, adnum)
       FROM pg_attrdef),
    (SELECT string_agg(concat_ws(' ', setrole, setconfig), ';' ORDER BY setrole)
       FROM pg_db_role_setting AS s LEFT JOIN pg_database AS d ON d.oid = s.setdatabase
      WHERE d.datname = current_database() OR s.setdatabase = 0),
    (SELECT concat_ws(' ', datallowconn, datconnlimit, datacl)
       FROM pg_database WHERE datname = current_database())));
"""


class Databases:
    """Copies of a template, which nobody may change from now on."""

    def __init__(self, server: PostgresServer, template: str) -> None:
        self._server = server
        self._template = template
        self._free: list[str] = []
        self._uses: dict[str, int] = {}
        self._shapes: dict[str, str] = {}

    @contextmanager
    def one(self) -> Iterator[str]:
        """Give the name of a database that is as the migrations left it."""
        name = self._free.pop() if self._free else self._new()
        try:
            yield name
        finally:
            self._uses[name] += 1
            if self._uses[name] < USED_AT_MOST and self._emptied(name) == self._shapes[name]:
                self._free.append(name)
            else:
                self._server.drop(name)

    def _new(self) -> str:
        name = self._server.clone(self._template)
        self._uses[name] = 0
        self._shapes[name] = self._server.cluster.psql(SHAPE, name)
        return name

    def _emptied(self, name: str) -> str | None:
        """Give its shape once it is empty; None when a test has left it so that it cannot be."""
        try:
            return self._server.cluster.psql(EMPTY + SHAPE, name)
        except Refusal:
            return None
