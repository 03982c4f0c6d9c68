"""`accordeur cache ...`, one file per command."""
