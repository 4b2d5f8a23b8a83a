"""Readings made from readings: a cursor in, an output out; to everybody else a reader."""
