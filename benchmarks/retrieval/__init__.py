"""How fast documents are indexed and searched, beside what people use today, and how it grows."""
