"""Crash tests: real processes, killed by SIGKILL at every step, then restarted; both sides must agree to the fen."""
