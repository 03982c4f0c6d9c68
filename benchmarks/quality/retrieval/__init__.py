"""How well passages are found: by words, by vectors, by both; and in which numbers of vectors."""
