"""The loaded models: one engine child each, started on demand, restarted when it dies."""
