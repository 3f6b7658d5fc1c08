"""Small widgets that the pages are put together from."""
