"""Language and embedding models: `source` gives them by name, `catalog` knows the embedded ones."""
