"""Downloading a model, whatever it is: from several sources, in parts side by side, checked at the end."""
