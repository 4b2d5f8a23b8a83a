// An ESP8266's axTLS has its memory from MicroPython's heap (ports/esp8266/posix_helpers.c): so
// has that of the frozen VM, whose figures would be without it otherwise.
#include <stdlib.h>
#include <string.h>

void *gc_alloc(size_t bytes, unsigned flags);
void *gc_realloc(void *old, size_t bytes, _Bool may_move);
void gc_free(void *old);

static inline void *_heap_calloc(size_t count, size_t size) {
    return gc_alloc(count * size, 0);
}

#define malloc(size) gc_alloc(size, 0)
#define calloc _heap_calloc
#define realloc(old, size) gc_realloc(old, size, 1)
#define free gc_free
