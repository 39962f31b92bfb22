"""The REST API: routes that call the use cases, behind tokens."""

from __future__ import annotations

from segue.api.app import create_app, openapi

__all__ = ["create_app", "openapi"]
