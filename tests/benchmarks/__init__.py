"""Benchmarks: each module bench_<room>.py measures its room beside a floor in the same run (make bench)."""
