"""Meters: one module per kind of meter, each with a SCHEMA and a class Reader."""
