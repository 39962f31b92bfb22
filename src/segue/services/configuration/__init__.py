"""The configuration of a workspace: files in, files out."""

from __future__ import annotations

from segue.services.configuration.apply import ApplyReport, apply_files
from segue.services.configuration.changes import Change, FieldChange, shown
from segue.services.configuration.entries import KINDS, NOUNS, WORDS
from segue.services.configuration.export import export_yaml
from segue.services.configuration.listing import list_entries
from segue.services.configuration.problems import ConfigurationError, Place, Problem

__all__ = [
    "KINDS",
    "NOUNS",
    "WORDS",
    "ApplyReport",
    "Change",
    "ConfigurationError",
    "FieldChange",
    "Place",
    "Problem",
    "apply_files",
    "export_yaml",
    "list_entries",
    "shown",
]
