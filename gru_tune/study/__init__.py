"""A search from its config to its best model: the loop, its record, its tables."""
