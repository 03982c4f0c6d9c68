"""From a task and levers to a plan, runs, a comparison and a verdict.

The story of a run, in order, is `run.py`; each step it calls is a file of its own.
"""
