"""The command line: reads what was typed, calls the package, shows what came of it.

`main.py` maps names to modules. A command is one file that holds one function, `command`, and
imports what it needs when it runs, so that `accordeur --help` stays quick and bad input is refused
before a model library is loaded.

    terminal, figures    consoles, escaping, numbers in words
    failures             messages, hints and exit codes
    tables/              what a run's record looks like on a terminal
    watching/            what a run looks like while it works
    reference            docs/cli.md, written from the program
"""
