"""Documents, passages with their places, and the search among them and among vectors."""
