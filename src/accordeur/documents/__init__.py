"""Documents and vectors that candidates look things up in; today exact vector search alone."""
