"""Make the workspace say what configuration files say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from segue.errors import BusyError
from segue.services.configuration.access import require_changes
from segue.services.configuration.changes import Change, compare
from segue.services.configuration.documents import Documents, read_documents
from segue.services.configuration.entries import KINDS, SECRETS, Entry, QueryEntry
from segue.services.configuration.problems import ConfigurationError, Problem
from segue.services.configuration.queries import check_queries
from segue.services.configuration.references import draft_warnings, reference_problems
from segue.services.configuration.retention import (
    KEY,
    RetentionEntry,
    read_retention,
    retention_change,
    save_retention,
)
from segue.services.configuration.sharing import shared_list_warnings
from segue.services.configuration.state import (
    Mark,
    State,
    delete_entry,
    read_mark,
    read_state,
    rename_orchestration,
    save_entry,
)
from segue.services.configuration.trail import record_change
from segue.services.versions import record_version
from segue.services.workspace import Workspace

Guard = Callable[[Session], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyReport:
    """changes: one per entry of the files and per deleted entry; applied: False for a dry run."""

    changes: tuple[Change, ...]
    warnings: tuple[Problem, ...]
    applied: bool

    @property
    def changed(self) -> bool:
        """Whether anything differs."""
        return any(change.action != "unchanged" for change in self.changes)


def apply_files(
    workspace: Workspace,
    files: Sequence[Path],
    *,
    environ: Mapping[str, str],
    dry_run: bool = False,
    prune: bool = False,
) -> ApplyReport:
    """Validate the files together and save what differs in one transaction, or nothing at all.

    environ: values for ``${NAME}``; prune: delete every entry that the files do not name, or rename an
    orchestration that only has another name in them. Raises
    ConfigurationError with every mistake of the files, and BusyError when another process changed the
    configuration meanwhile.
    """
    return apply_documents(workspace, read_documents(files, environ), dry_run=dry_run, prune=prune)


def apply_documents(
    workspace: Workspace,
    documents: Documents,
    *,
    dry_run: bool = False,
    prune: bool = False,
    guard: Guard | None = None,
) -> ApplyReport:
    """``apply_files`` for documents that are read already.

    Raises NotPermittedError when the actor of the workspace may not make one of the changes.

    guard: called with the session that is about to save, under the write lock; what it raises stops the save.
    """
    with workspace.catalog.session(read_only=True) as session:
        # The mark first: what changes between the two reads is then told, and never lost.
        mark = read_mark(session)
        current, before = read_state(session, workspace.box), read_retention(session)
    desired, retention = _desired(documents, current), documents.retention or before
    future: State = {kind: desired[kind] if prune else {**current[kind], **desired[kind]} for kind in KINDS}
    changes = compare(current, desired, prune=prune)
    if documents.retention is not None:
        changes += (retention_change(before, retention),)
    require_changes(workspace.actor, changes, current, future)
    problems = [*documents.problems, *reference_problems(documents, current, future)]
    # Checking the SQL opens the databases: worth its time beside other mistakes, so that all show at once.
    checked = check_queries(documents, future, changes)
    problems += checked.problems
    if problems:
        raise ConfigurationError(problems)
    report = ApplyReport(
        changes=changes,
        warnings=(
            *documents.warnings,
            *draft_warnings(documents, future),
            *shared_list_warnings(documents, future),
            *checked.warnings,
        ),
        applied=not dry_run,
    )
    if report.changed and not dry_run:
        _save(workspace, (mark, before), (desired, retention), changes, guard)
    return report


def _desired(documents: Documents, current: State) -> dict[str, dict[str, Entry]]:
    desired = {kind: {name: item.entry for name, item in documents.named[kind].items() if item.entry} for kind in KINDS}
    for kind, key in SECRETS.items():
        for name, entry in desired[kind].items():
            stored = current[kind].get(name)
            if getattr(entry, key) is None and stored is not None:
                desired[kind][name] = entry.model_copy(update={key: getattr(stored, key)})
    return desired


def _save(
    workspace: Workspace,
    before: tuple[Mark, RetentionEntry],
    after: tuple[State, RetentionEntry],
    changes: Sequence[Change],
    guard: Guard | None,
) -> None:
    desired, retention = after
    with workspace.catalog.session() as session:
        if guard is not None:
            guard(session)
        # The checks above ran without the write lock, because they may take a while.
        if (read_mark(session), read_retention(session)) != before:
            raise BusyError(
                "somebody else changed the configuration at the same time; nothing was saved",
                code="configuration_changed",
                steps=("Apply again.",),
            )
        for change in changes:
            if change.kind == KEY:
                save_retention(session, retention)
                record_change(session, workspace.actor, change)
                continue
            if change.renamed_from:
                rename_orchestration(session, change.renamed_from, change.name)
            if change.action in ("create", "update", "rename"):
                entry = desired[change.kind][change.name]
                row_id = save_entry(session, workspace.box, change.kind, entry)
                if isinstance(entry, QueryEntry):
                    record_version(session, workspace.actor, row_id, entry.sql, active=entry.status == "active")
            elif change.action == "delete":
                delete_entry(session, change.kind, change.name)
            record_change(session, workspace.actor, change)
