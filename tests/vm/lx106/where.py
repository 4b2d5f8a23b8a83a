"""The addresses of what importing modules makes, and of what is made in the heap."""

import dsmr.frame
import exact
import part_shapes

for name, thing in (
    ("module exact", exact),
    ("module dsmr.frame", dsmr.frame),
    ("function exact.text", exact.text),
    ("class Framer", dsmr.frame.Framer),
    ("method Framer.feed", dsmr.frame.Framer.feed),
    ("class Loud", part_shapes.Loud),
    ("method Loud.describe", part_shapes.Loud.describe),
    ("heap: Shape, a class that a case writes into", part_shapes.Shape),
    ("heap: instance", part_shapes.Shape("square")),
    ("heap: list", [1]),
):
    print(name, id(thing) & 0x7FFFFFFF)  # id() has an address beyond a small integer as negative
