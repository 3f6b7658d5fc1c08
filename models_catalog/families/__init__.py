"""Which Chinese open models there are, by family, and the search in them."""
