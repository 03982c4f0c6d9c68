"""Training: plain functions over a model's modules. Imports torch; load it lazily."""
