"""Step 3 of the path: rows become an audience, one row a person, and the difference to what was sent before."""
