"""New firmware over the air: into the slot that does not run, and then a trial.

What is on trial lies in the store (device/state.py) under KEY, as a list of five texts. It is
there before the bootloader is told, so that no image runs on trial without it.

| which | text                                                                                    |
|-------|-----------------------------------------------------------------------------------------|
| FROM  | the version that ran                                                                    |
| TO    | the version of the update                                                               |
| SLOT  | the label of the slot that it was written into                                          |
| WHY   | "" until somebody knows why the trial failed                                            |
| SOURCES | what delivered in the ten minutes before, with / between the names                    |

Where SLOT runs there is a trial. Where another one runs, the bootloader has taken the update back,
or the power was cut before the switch. trial.py ends the trial, and tells of one that has failed.
"""

KEY = "update"
FROM = 0
TO = 1
SLOT = 2
WHY = 3
SOURCES = 4
