"""The generated parts of docs/: tables of config keys, channels and modules; the picture."""
