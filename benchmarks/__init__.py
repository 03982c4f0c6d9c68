"""Benchmarks: quality tables on public data, and speed beside peers. See docs/benchmarks.md."""
