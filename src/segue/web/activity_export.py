"""The activity log as a file."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import PlainTextResponse, Response, StreamingResponse

from segue.services.audit import export_audit
from segue.services.audit_export import csv_lines, json_lines
from segue.services.permissions import NotPermittedError
from segue.services.workspace import Workspace
from segue.web.actor import current_actor
from segue.web.pages.settings_activity import EXPORT

_FORMS = {"csv": (csv_lines, "text/csv"), "ndjson": (json_lines, "application/x-ndjson")}


def register_activity_export(app: FastAPI, workspace: Workspace) -> None:
    """Add the route."""

    @app.get(EXPORT, include_in_schema=False)
    def export(request: Request, form: str) -> Response:
        if form not in _FORMS:
            return PlainTextResponse("The log is written as csv or ndjson.", status_code=404)
        write, media = _FORMS[form]
        try:
            lines = export_audit(workspace.acting_as(current_actor(workspace, request)))
        except NotPermittedError as error:
            return PlainTextResponse(error.message, status_code=403)
        headers = {"Content-Disposition": f'attachment; filename="activity-log.{form}"'}
        return StreamingResponse(write(lines), media_type=media, headers=headers)
