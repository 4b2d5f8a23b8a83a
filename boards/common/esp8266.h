#define MICROPY_HW_MCU_NAME "ESP8266"

#define MICROPY_ROM_CODE (1) // tools/romcode
// Static RAM is short: 4 bytes for each line that the REPL remembers.
#define MICROPY_READLINE_HISTORY_SIZE (1)

#define MICROPY_PERSISTENT_CODE_LOAD (1)
#define MICROPY_ERROR_REPORTING (MICROPY_ERROR_REPORTING_NORMAL)
#define MICROPY_READER_VFS (MICROPY_VFS)
#define MICROPY_VFS (1)
