"""Benchmarks and budgets of the firmware: `make size`, and what the evidence rests on."""
