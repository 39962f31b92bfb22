"""Steps 4 to 6 of the path that are the same for every destination: budget, decisions, ledger, progress, sums."""
