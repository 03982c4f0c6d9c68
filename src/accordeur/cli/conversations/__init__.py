"""`accordeur conversations ...`, one file per command."""
