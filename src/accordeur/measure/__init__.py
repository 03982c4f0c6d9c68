"""The one ruler: harness, metrics, statistics, cost. It never sees what made a candidate."""
