"""The history of the catalog's schema; the file of a migration bears the name of its revision."""
