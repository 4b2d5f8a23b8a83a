"""Set-up: a board that nobody has configured yet gets its Wi-Fi, its meter and its servers."""
