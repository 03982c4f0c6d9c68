"""The parts of the page, one per file. Each takes the `Report` and gives `Markup` or `None` when
the record has nothing for it."""
