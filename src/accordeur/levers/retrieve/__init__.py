"""The lever `retrieve`: passages of the task's documents before each question.

Lewis et al. 2020, "Retrieval-Augmented Generation for Knowledge-Intensive NLP Tasks". `lever.py`
has the settings and chooses how many passages and which ranking; `abstaining.py` learns from train
rows when an answer is better withheld.
"""

from accordeur.levers.retrieve.lever import Retrieve

__all__ = ["Retrieve"]
