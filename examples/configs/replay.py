"""No meter yet: a recorded one, over and over, on any computer.

Windows has no simulated meters, and this needs none. Put a recording of your own in its place, as
`python -m tools.decode dsmr` reads it.
"""

board = "HOST"

readers = [{"type": "replay", "name": "house", "file": "examples/telegrams.txt"}]

sinks = [{"type": "console"}]
