"""Text embedding models that run here.

`recipe.py` reads what a model's folder says of texts and vectors, `text_embedder.py` goes from
texts to vectors, a *body* from tokens to vectors: `torch_body.py` or, for networks of the BERT
family, `onnx_body.py`, whose graph `onnx_graph.py` makes of the weights. `choice.py` finds out
which of them is fastest on this machine.
"""
