"""Daikin Altherma heat pumps on the X10A connector: bytes in, exact values out.

    from x10a.frame import find, request
    from x10a.table import Table

Two protocols, both 9600 8E1 and one register per request: I (Altherma) and S (older units,
Rotex). Sources: the definition files and protocol notes of ESPAltherma; see README.md.
"""
