"""The temperature at which a refrigerant boils at a pressure: what service tools show.

    celsius(16, 1, 801)            -> -321349: at 1.6 R410A boils at -32.1349 degrees
    plausible(16, 1, 801)          -> True

Polynomials of degree 6 in the pressure, one per refrigerant (801 R410A, 803 R22, anything else
R32), as in the definitions of ESPAltherma. They hold up to the pressure where they turn round;
a unit that is off shows 0, which is no pressure of a refrigerant. Integers throughout: exact,
then rounded to 4 decimals.
"""

from micropython import const

DECIMALS = const(4)

_PLACES = const(20)  # of the coefficients
# Coefficients of pressure^6 to pressure^0, in units of 10^-20.
_R32 = (
    -26989493795556,
    4263834171046610,
    -262978346547749000,
    8058581275035850000,
    -131924457284073000000,
    1341573684354370000000,
    -5118133429931550000000,
)
_R410A = (
    -84448460086362,
    11283375185521600,
    -584955138495273000,
    14913093366449900000,
    -199373679674187000000,
    1605049013962240000000,
    -5328540306622390000000,
)
_R22 = (
    -502321469254140,
    47556191620127500,
    -1750879976484610000,
    31862041394341700000,
    -308443737418690000000,
    1902176872849020000000,
    -4232823619124940000000,
)


def celsius(pressure: int, decimals: int, refrigerant: int) -> int:
    """Temperature in 0.0001 degrees at a pressure (in units of 10^-decimals)."""
    total = 0
    scale = 1
    step = 10**decimals
    for coefficient in _polynomial(refrigerant):
        total = total * pressure + coefficient * scale
        scale *= step
    divisor = 10 ** (_PLACES - DECIMALS) * (scale // step)
    sign = -1 if total < 0 else 1
    return sign * ((2 * abs(total) + divisor) // (2 * divisor))


def plausible(pressure: int, decimals: int, refrigerant: int) -> bool:
    """Whether the polynomial holds at this pressure."""
    limit = {801: 40, 803: 28}.get(refrigerant, 45)
    return 0 < pressure <= limit * 10**decimals


def _polynomial(refrigerant: int) -> tuple:
    if refrigerant == 801:
        return _R410A
    return _R22 if refrigerant == 803 else _R32
