"""Engine: a LoadPlan goes in, token events come out."""
