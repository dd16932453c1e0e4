"""Documents as the memory-mapped table of windows that training reads: made in parallel, kept in a cache."""
