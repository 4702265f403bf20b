"""Values, kinds and errors: the ground floor. Imports numpy and nothing else."""
