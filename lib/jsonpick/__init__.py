"""Values cut out of a JSON answer that comes in pieces, digit for digit.

from jsonpick import number
from jsonpick.picker import Picker

pick = Picker(["em:0/a_act_power", "emeters[1]/total"])
pick.feed(piece)                   # as often as one comes
if pick.end():
    pick.texts                     # [b"2574466.629", None]
    number.exact(pick.texts[0])    # (2574466629, 3)
"""
