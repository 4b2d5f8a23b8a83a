"""Destinations: one module per kind of server, each with a SCHEMA and a class Sink."""
