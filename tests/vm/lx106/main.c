// A frozen module on an ESP8266's CPU core: QEMU's machine `sim`, which has nothing else. See
// tests/integration/lx106_rig.py, which builds and runs it.
//
//     qemu-system-xtensa … -semihosting-config arg=import,arg=case_dir
//     qemu-system-xtensa … -semihosting-config arg=main,arg=case_dir       as __main__
//
// Exit status: 0, 1 after an exception, and 64 to 67 for what must not happen.

#include <string.h>

#include "py/builtin.h"
#include "py/compile.h"
#include "py/cstack.h"
#include "py/gc.h"
#include "py/mphal.h"
#include "py/runtime.h"

#define HEAP_BYTES (38 * 1024) // ports/esp8266/main.c
#define STACK_TOP ((void *)0x40000000) // there too
#define STACK_BYTES (8192)

// Calls of QEMU's simcall, as target/xtensa/xtensa-semi.c numbers them.
#define SYS_EXIT (1)
#define SYS_WRITE (4)
#define SYS_ARGC (1000)
#define SYS_ARGV_BYTES (1001)
#define SYS_ARGV (1002)

#define CRASHED (64)
#define UNCAUGHT (65)
#define FLASH_WRITTEN (66)
#define USAGE (67)

// The chip's linker script names what it places.
extern uint32_t _bss_start, _bss_end, _irom0_text_start, _irom0_text_end;

static char heap[HEAP_BYTES];

static uint32_t simcall(uint32_t what, uint32_t a, uint32_t b, uint32_t c) {
    register uint32_t a2 __asm__ ("a2") = what;
    register uint32_t a3 __asm__ ("a3") = a;
    register uint32_t a4 __asm__ ("a4") = b;
    register uint32_t a5 __asm__ ("a5") = c;
    __asm__ volatile ("simcall" : "+r" (a2), "+r" (a3) : "r" (a4), "r" (a5) : "memory");
    return a2;
}

static void MP_NORETURN leave(int status) {
    for (;;) {
        simcall(SYS_EXIT, status, 0, 0);
    }
}

mp_uint_t mp_hal_stdout_tx_strn(const char *text, size_t length) {
    return simcall(SYS_WRITE, 1, (uint32_t)text, length);
}

void mp_hal_stdout_tx_strn_cooked(const char *text, size_t length) {
    mp_hal_stdout_tx_strn(text, length);
}

void mp_hal_stdout_tx_str(const char *text) {
    mp_hal_stdout_tx_strn(text, strlen(text));
}

int mp_hal_stdin_rx_chr(void) {
    return 4; // the end: nobody types here
}

uintptr_t mp_hal_stdio_poll(uintptr_t flags) {
    return 0;
}

void mp_hal_set_interrupt_char(int c) {
}

// The count of cycles wraps each few minutes; whoever waits asks more often.
mp_uint_t mp_hal_ticks_us(void) {
    static uint32_t last, rest, us;
    uint32_t now = mp_hal_ticks_cpu();
    rest += now - last;
    last = now;
    us += rest / CYCLES_PER_US;
    rest %= CYCLES_PER_US;
    return us;
}

mp_uint_t mp_hal_ticks_ms(void) {
    return mp_hal_ticks_us() / 1000;
}

void mp_hal_delay_us(mp_uint_t us) {
    mp_uint_t start = mp_hal_ticks_us();
    while (mp_hal_ticks_us() - start < us) {
    }
}

void mp_hal_delay_ms(mp_uint_t ms) {
    mp_uint_t start = mp_hal_ticks_ms();
    while (mp_hal_ticks_ms() - start < ms) {
        mp_event_handle_nowait();
    }
}

void *esp_native_code_commit(void *buffer, size_t length, void *relocations) {
    mp_raise_NotImplementedError(NULL);
}

// Registers that a caller may keep an object in, then all of the stack.
void MP_NOINLINE gc_collect(void) {
    uint32_t kept[4];
    __asm__ volatile (
        "s32i a12, %0, 0\n"
        "s32i a13, %0, 4\n"
        "s32i a14, %0, 8\n"
        "s32i a15, %0, 12\n"
        : : "r" (kept) : "memory");
    gc_collect_start();
    gc_collect_root((void **)kept, ((char *)STACK_TOP - (char *)kept) / sizeof(void *));
    gc_collect_end();
}

void nlr_jump_fail(void *value) {
    mp_hal_stdout_tx_str("an exception that nobody catches\n");
    leave(UNCAUGHT);
}

// What an exception of the CPU leads to: crash.S comes here.
void MP_NORETURN crashed(uint32_t cause, uint32_t pc, uint32_t address) {
    mp_printf(&mp_plat_print, "crashed: cause %u at 0x%08x, address 0x%08x\n",
        (unsigned)cause, (unsigned)pc, (unsigned)address);
    leave(CRASHED);
}

// QEMU's flash can be written; on a chip that is an exception.
static uint32_t sum_of_flash(void) {
    uint32_t sum = 0;
    for (const uint32_t *word = &_irom0_text_start; word < &_irom0_text_end; ++word) {
        sum = ((sum << 5) | (sum >> 27)) ^ *word;
    }
    return sum;
}

static int run(const char *how, const char *module) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        // The fourth argument of __import__ makes the core run the module as __main__.
        mp_obj_t arguments[] = {
            mp_obj_new_str_from_cstr(module), mp_const_none, mp_const_none, mp_const_false,
        };
        mp_builtin___import__(strcmp(how, "main") == 0 ? 4 : 1, arguments);
        nlr_pop();
        return 0;
    }
    mp_obj_print_exception(&mp_plat_print, MP_OBJ_FROM_PTR(nlr.ret_val));
    return 1;
}

void MP_NORETURN begin(void) {
    memset(&_bss_start, 0, (char *)&_bss_end - (char *)&_bss_start);
    static char *arguments[64];
    if (simcall(SYS_ARGC, 0, 0, 0) < 2 || simcall(SYS_ARGV_BYTES, 0, 0, 0) > sizeof(arguments)) {
        leave(USAGE);
    }
    simcall(SYS_ARGV, (uint32_t)arguments, 0, 0);
    uint32_t sum = sum_of_flash();
    mp_cstack_init_with_top(STACK_TOP, STACK_BYTES);
    gc_init(heap, heap + sizeof(heap));
    mp_init();
    int status = run(arguments[0], arguments[1]);
    if (sum_of_flash() != sum) {
        mp_hal_stdout_tx_str("the flash was written\n");
        status = FLASH_WRITTEN;
    }
    leave(status);
}
