"""What became of answers on the way: revisions, and where a chain of reasoning first went wrong."""
