"""Quality on public data sets."""
