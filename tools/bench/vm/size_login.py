"""A FRITZ!Box's login: prints "LOGIN first second longest", CPU time of this VM in microseconds.

Of its 60,000 and its 6,000 rounds, and of the longest step between two yields; collections of the
heap fall into the steps.
"""

from avm.login import Answer
from measured_steps import _cpu_us

from joulelog.readers import fritz_box

_CHALLENGE = "2$60000$5a17115a17115a17115a17115a171100$6000$5a17225a17225a17225a17225a172200"


def main() -> None:
    answer = Answer(_CHALLENGE, "1example!")
    took = [0, 0]
    longest = 0
    done = False
    while not done:
        part = 0 if answer.first is None else 1
        started = _cpu_us()
        done = answer.step(fritz_box.ROUNDS)
        us = _cpu_us() - started
        took[part] += us
        longest = max(longest, us)
    print("LOGIN", took[0], took[1], longest)


main()
