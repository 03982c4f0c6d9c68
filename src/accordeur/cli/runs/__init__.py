"""`accordeur runs ...`, one file per command."""
