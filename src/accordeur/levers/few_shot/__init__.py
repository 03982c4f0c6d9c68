"""The lever `few-shot`: show the model worked examples before the row.

Brown et al. 2020, "Language Models are Few-Shot Learners". `draw.py` chooses by seeded stratified
draw, `nearest.py` by similarity to the query, `search.py` tries further subsets and orders through
the dev ledger; `lever.py` has the settings and decides.
"""

from accordeur.levers.few_shot.lever import FewShot

__all__ = ["FewShot"]
