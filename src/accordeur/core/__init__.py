"""The vocabulary of Accordeur: plain data and protocols that every other package shares.

Nothing here runs a model, reads a data file or prints; nothing here imports torch.
"""
