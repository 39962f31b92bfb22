"""Ways out of failed runs, as data."""
