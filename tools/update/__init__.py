"""Send a board new firmware over the network: `make update`."""
