"""Runs: durable, resumable, one at a time for each orchestration."""
