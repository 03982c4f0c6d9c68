"""A run as it is watched: redrawn on a terminal (`live`), or line by line in a log (`lines`).

Both keep what happened in a `Progress`, which also reckons the time left and can say, after Ctrl-C,
what is done so far.
"""
