"""Simulated meters: for a first look without hardware, and for tests."""
