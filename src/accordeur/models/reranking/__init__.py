"""Models that read a question and a passage together: rerankers that run here.

`tokenizing.py` reads a folder's tokenizer and limit, `cross_encoder.py` goes from texts to scores,
`torch_pairs.py` from tokens to scores.
"""
