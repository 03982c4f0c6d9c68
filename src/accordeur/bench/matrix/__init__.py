"""`accordeur eval`: prompts × models × cases, and assertions about every answer.

config          a config file: `short_form` is ours, `promptfoo` the subset of theirs
matrix          what both are read into
prompts, providers, checks, cases    readers of its parts; cases are read row by row
filling         templates filled with the fields of a case
selection       --limit and --filter-*
plan            the first look at every case: what there is to do, and that it can be done
sources         models, prices and what assertions need of them
answering       asking one model: echo, language model, bundle
folder          what an evaluation leaves on disk
run             block by block: ask, write down, check, write down
scoring         findings to pass, fail or unjudged; repeats folded into one row
summary         rates with their intervals
comparing       two columns on the same cases
judging         judges measured against people's labels
preferring      two columns under a judge, in both orders
outputs         results as JSON, JSONL, CSV, HTML, JUnit XML
"""
