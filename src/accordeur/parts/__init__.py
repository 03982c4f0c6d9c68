"""What a candidate is made of, one file or folder per slot, and `assemble`, which runs one.

Answering, training, evaluation, serving and export all go through `parts.assemble.assemble`; it
needs none of the code that made the parts.
"""
