"""`accordeur models ...`, one file per command."""
