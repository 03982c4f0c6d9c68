"""How passages are ordered: by words, by vectors, and by both together.

`expression.py` turns a question into what SQLite's full-text search is asked, `fusion.py` joins the
scores of the two sides, `order.py` does what a `Ranking` says with them, `memory.py` is the whole
search over a list of passages.
"""
