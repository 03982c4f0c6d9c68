"""Models that judge answers: by a rubric, or two answers against each other in both orders.

rubric        does an answer meet a rubric
pairwise      which of two answers is better, asked in both orders
validation    how often a judge agrees with people
asking        what judges have in common: a prompt and a JSON object as reply
"""
