"""Speed and size, measured in one run each; `python -m benchmarks` prints those of a turn."""
