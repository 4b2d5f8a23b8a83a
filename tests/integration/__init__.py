"""Tests with real servers, real processes and the MicroPython VM."""
