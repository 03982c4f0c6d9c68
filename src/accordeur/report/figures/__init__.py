"""SVG figures, one per file. Each draws itself at a given width, so that the page can hold one for
wide and one for narrow screens instead of shrinking letters."""
