"""Plans for the service and the terminal: what is here, what is wished, what was learned → plans."""
