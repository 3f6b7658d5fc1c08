"""The page where a model is looked for, judged and fetched."""
