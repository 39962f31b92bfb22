"""One query: written, tried, kept as a draft, made active."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from nicegui import ui

from segue.errors import QueryError, SegueError
from segue.query.pretty import pretty
from segue.services.drafts import OpenQuery, activate, discard_draft, open_query, save_draft
from segue.services.previews import Tables, preview, tables_of, unsaved, words
from segue.services.queries import Explanation, explain, plugin_for
from segue.web.components.banner import error_banner, notice
from segue.web.components.dialogs import confirm
from segue.web.components.icons import button
from segue.web.components.moment import Moment
from segue.web.components.parts import heading, part
from segue.web.components.sql_editor import SqlEditor
from segue.web.components.states import empty, skeleton
from segue.web.components.status import status
from segue.web.pages.query_answers import columns_table, rows_table
from segue.web.pages.query_versions import open_versions
from segue.web.presence import PRESENCE
from segue.web.registry import Page, Section
from segue.web.visit import Visit


async def build(visit: Visit, ref: str) -> None:
    """Fill the page."""
    query = await visit.call(open_query, visit.workspace, ref)
    ui.page_title(f"{query.name} · Segue")
    try:
        tables = await visit.call(tables_of, visit.workspace, query.database)
    except SegueError as error:
        error_banner(error)
        tables = {}
    _Editor(visit, query, tables)


class _Editor:
    """The page of a query, and what is known of it."""

    def __init__(self, visit: Visit, query: OpenQuery, tables: Tables) -> None:
        self._visit = visit
        self._query = query
        self._may_edit = visit.may("queries.edit")
        with heading(query.name, f"Database {query.database}"):
            self._buttons()
        self._others = part("div")
        self._state = part("div", "query-state")
        with part("div", "workbench"):
            with part("details", "card tables", open=True):
                part("summary", text="Tables")
                self._browser(tables)
            with part("div", "workbench-main"):
                self._tools()
                self._sql = SqlEditor(
                    query.sql,
                    label="SQL of the query",
                    words=words(tables),
                    keys={"Mod-Enter": self._run, "Mod-s": self._save},
                )
                self._sql.on_change(self._show_state)
                self._problem = part("div")
                self._answer = part("section", "card", aria_label="Rows")
                with self._answer:
                    empty("table_rows", "Not run yet", "Ctrl-Enter shows the first 100 rows. Nothing is sent.")
            self._places = part("section", "card places", aria_label="Where columns go")
        self._show_state()
        self._watch()
        with self._places:
            part("h2", text="At Klaviyo")
            skeleton()
        ui.timer(0.1, self._explain, once=True)

    def _buttons(self) -> None:
        button("Versions", on_click=self._versions, name="history")
        if self._may_edit:
            self._discard_button = button("Discard draft", on_click=self._discard)
            button("Save draft", on_click=self._save, name="save").props["title"] = "Ctrl-S"
            button("Activate", on_click=self._activate, name="check", kind="primary")

    def _tools(self) -> None:
        with part("div", "toolbar", role="toolbar", aria_label="Query"):
            button("Run", on_click=self._run, name="play_arrow").props["title"] = "Ctrl-Enter"
            button("Format", on_click=self._format, name="format_align_left")
            button("Comment", on_click=self._comment, name="code").props["title"] = "Ctrl-/"

    def _browser(self, tables: Tables) -> None:
        if not tables:
            empty("table_chart", "No tables", "The database has none, or cannot be read.")
        with part("div", "table-tree"):
            for table, columns in tables.items():
                with part("details"):
                    part("summary", text=table)
                    with part("ul"):
                        for column, kind in columns.items():
                            with part("li"):
                                name = part(
                                    "button", "insert", text=column, type="button", title="Write it at the cursor"
                                )
                                name.on("click", partial(self._insert, column))
                                part("span", "muted", text=kind.lower())

    def _insert(self, text: str) -> None:
        self._sql.insert(text)

    def _comment(self) -> None:
        self._sql.comment()

    def _show_state(self) -> None:
        query, sql = self._query, self._sql.sql
        active = query.active_sql is not None
        saved = sql == query.sql
        if self._may_edit:
            self._discard_button.set_visibility(active and (query.is_draft or not saved))
        self._state.clear()
        with self._state:
            status("active" if active else "draft")
            if not saved:
                part("span", "muted", text="Changes that are not saved.")
            elif active and query.is_draft:
                part("span", "muted", text=f"A draft by {query.by} is shown; runs use the active version. Saved")
                Moment(query.at)
            elif active:
                part("span", "muted", text="Runs use what is shown.")
            else:
                part("span", "muted", text="Runs can use it once it is active.")

    def _watch(self) -> None:
        """Tell whoever opens the query second, and say when somebody comes."""
        window, thing = ui.context.client.id, self._query.id
        client = ui.context.client

        def changed() -> None:
            others = PRESENCE.others(thing, window)
            with client:
                self._others.clear()
                with self._others:
                    if others:
                        notice(
                            f"{', '.join(sorted(set(others)))} has this query open too, in another window. "
                            "Whoever saves second is told, and nothing is overwritten."
                        )

        name = self._visit.actor.name
        client.on_connect(lambda: PRESENCE.enter(thing, window, name, changed))
        client.on_disconnect(lambda: PRESENCE.leave(thing, window))

    async def _run(self) -> None:
        """The first rows of what is selected, or of everything."""
        sql = (await self._sql.selected()).strip() or self._sql.sql
        self._problem.clear()
        self._answer.clear()
        with self._answer:
            skeleton()
        try:
            query = await self._visit.call(unsaved, self._visit.workspace, sql, self._query.database)
            found = await self._visit.call(
                partial(preview, workspace=self._visit.workspace), query, self._visit.settings
            )
        except SegueError as error:
            self._show_error(error, marked=sql == self._sql.sql)
            self._answer.clear()
            with self._answer:
                empty("table_rows", "No rows", "The query did not run.")
            return
        self._sql.mark(None)
        self._answer.clear()
        with self._answer:
            rows_table(found)
        await self._explain()

    async def _explain(self) -> None:
        """Where each column goes."""
        plan, mistake = None, ""
        try:
            plan = await self._visit.call(_explained, self._visit, self._sql.sql, self._query.database)
        except SegueError as error:
            mistake = error.message
        self._places.clear()
        with self._places:
            part("h2", text="At Klaviyo")
            if plan is None:
                empty("rule", "Not known yet", f"The query has a mistake: {mistake}.")
            else:
                columns_table(plan)

    def _show_error(self, error: SegueError, *, marked: bool) -> None:
        self._problem.clear()
        with self._problem:
            error_banner(error)
        self._sql.mark(error if marked and isinstance(error, QueryError) else None)

    async def _format(self) -> None:
        try:
            self._sql.write(await self._visit.call(pretty, self._sql.sql))
        except QueryError as error:
            self._show_error(error, marked=True)

    async def _save(self) -> None:
        await self._change(save_draft, "The draft is saved.")

    async def _activate(self) -> None:
        await self._change(activate, "The query is active: runs use it.")

    async def _change(self, work: Callable[..., OpenQuery], done: str) -> None:
        change = partial(work, self._visit.workspace, self._query.id, self._sql.sql, tag=self._query.tag)
        try:
            self._query = await self._visit.call(change)
        except SegueError as error:
            self._show_error(error, marked=True)
            return
        self._problem.clear()
        self._sql.mark(None)
        self._show_state()
        ui.notify(done, type="positive", position="bottom-right")
        await self._explain()

    async def _versions(self) -> None:
        restore = self._sql.write if self._may_edit else None
        await open_versions(self._visit, self._query.id, lambda: self._sql.sql, restore)

    async def _discard(self) -> None:
        if await confirm(
            "Discard the draft?",
            "What is shown is thrown away; the active version comes back.",
            yes="Discard",
            danger=True,
        ):
            self._query = await self._visit.call(discard_draft, self._visit.workspace, self._query.id)
            self._sql.write(self._query.sql)
            self._show_state()


def _explained(visit: Visit, sql: str, database: str) -> Explanation:
    query = unsaved(visit.workspace, sql, database)
    with visit.workspace.catalog.session(read_only=True) as session:
        plugin = plugin_for(session, None)
    return explain(query, visit.settings, plugin)


PAGE = Page(
    path="/queries/{ref}",
    title="Query",
    section=Section.QUERIES,
    permission="configuration.read",
    build=build,
    listed=False,
    example="/queries/Customers",
)
