// Where MicroPython asks the chip's SDK: the core has no register windows.
#define XCHAL_HAVE_WINDOWED 0
