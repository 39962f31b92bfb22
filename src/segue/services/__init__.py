"""Use cases as plain functions: the edges parse, call one of these, and show the result."""
