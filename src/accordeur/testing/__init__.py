"""The public testing kit: small tasks and models for tests of levers, metrics and models."""
