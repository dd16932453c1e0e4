"""Asking a second time about doubtful spans; the answers change their scores and nothing else."""
