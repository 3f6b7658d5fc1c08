"""The page of downloads: the queue, what each of its entries does now, and the limits that all of them keep."""
