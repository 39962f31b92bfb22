"""Ways out of failed runs, as data: for each error code the cause, who can put it right, steps, and actions."""

from __future__ import annotations

from segue.resolutions.actions import Action
from segue.resolutions.catalogue import Resolution, catalogue, resolution

__all__ = ["Action", "Resolution", "catalogue", "resolution"]
