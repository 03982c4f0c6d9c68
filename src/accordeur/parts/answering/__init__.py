"""The three ways a candidate answers: by its classifier, by scoring labels, by writing text."""
