"""Who holds which tokens' state: cells counted once however many sequences share them, and prefixes found again."""
