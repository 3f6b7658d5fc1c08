"""Decides how a model is loaded: values in, a LoadPlan with its reasons out."""
