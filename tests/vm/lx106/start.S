// Where the core begins, and where it goes when an instruction cannot be done: main.c's crashed().
// The chip's linker script puts the vectors in their order behind .UserEnter.text, and the core
// wants each at its distance from there.

    .macro vector section, name
    .section .\section\().text, "ax"
    .align 16
    .global \name
\name:
    j crash
    .align 16
    .endm

    vector UserEnter, vectors
    vector DebugExceptionVector, _DebugExceptionVector
    vector NMIExceptionVector, _NMIExceptionVector
    vector KernelExceptionVector, _KernelExceptionVector
    vector UserExceptionVector, _UserExceptionVector
    vector DoubleExceptionVector, _DoubleExceptionVector

    .text
    .literal_position
    .align 4
    .global firmware_start
firmware_start:
    movi a2, vectors
    wsr a2, vecbase
    movi a0, begin
    j with_stack

crash:
    rsr a2, exccause
    rsr a3, epc1
    rsr a4, excvaddr
    movi a0, crashed

with_stack:
    movi a5, 0x20 // user mode, no interrupt held back, no exception under way
    wsr a5, ps
    rsync
    movi a1, 0x40000000
    jx a0
