"""The slot `retrieval`: passages of documents that are put before each question."""
