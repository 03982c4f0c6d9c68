"""Runs Hugging Face language models on this machine, computing shared work once.

`model.LocalModel` is what the rest of the program sees. Beneath it: `template` and `encoder_text`
(messages to tokens), `fitting` (what does not fit the context), `batching` (who is computed
together), `trie` and `scoring` (labels), `generation`, `prefix_cache`, `dtype_trial`, and three
bodies that compute hidden states: `llama` (our own forward pass for the Llama family), `adapter`
(the modules of transformers, any causal architecture; the only file that imports transformers) and
`encoder_decoder` (those of T5).
"""
