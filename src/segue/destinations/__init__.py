"""Destinations are plug-ins: a contract, and a folder for each."""
