"""Models behind an OpenAI-compatible endpoint, hosted or local.

`vendors` knows who speaks this wire and where; `wire` writes requests and reads answers; `failures`
tells the ways it can go wrong apart; `pace` finds how many calls at once an endpoint takes;
`client` makes one call, `driving` thousands; `model` is what the rest of the program sees.
"""
