"""Courtesy for language models."""
