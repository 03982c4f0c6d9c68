"""How many dev rows a lever that writes is screened on (DESIGN P7)."""

SCREEN_ROWS = 40
"""Rows that are answered before it goes on or is given up."""

SCREEN_LEAST = 80
"""Under so many dev rows nothing is screened."""
