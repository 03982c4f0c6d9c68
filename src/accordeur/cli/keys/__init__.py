"""`accordeur keys ...`, one file per command."""
