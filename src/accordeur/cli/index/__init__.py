"""`accordeur index ...`, one file per command."""
